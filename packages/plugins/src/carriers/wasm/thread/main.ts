/**
 * A plugin's thread: waits for its turn, gives it to the module, and gives it back. It does nothing else, holds nothing of
 * the host's but the exchange, and ends when it is told to, when the module can't go on, or when the host ends it.
 */
import { parentPort, workerData } from "node:worker_threads";
import { Asked, type Exchange, Turn, Word } from "../exchange.ts";
import { Fault, type ThreadFault } from "./fault.ts";
import { type HostTable, PluginInstance } from "./instance.ts";

/** What a thread is started with. */
export interface ThreadOrder {
  readonly module: WebAssembly.Module;
  readonly exchange: Exchange;
  readonly host: HostTable;
}

/** What it says: it begins to open the module, it gives its turn back, or it ends. */
export type ThreadSaying = typeof BEGINS | typeof IDLE | ThreadFault;

const BEGINS = 1;
const IDLE = 0;

function say(saying: ThreadSaying): void {
  parentPort?.postMessage(saying);
}

/** What the engine throws is a trap, or the stack's or the memory's end: the plugin's own doing. */
function faultOf(thrown: unknown): ThreadFault {
  if (thrown instanceof Fault) return { code: thrown.code, message: thrown.message };
  const text = thrown instanceof Error ? thrown.message : String(thrown);
  return { code: "trapped", message: `The plugin trapped: ${text}` };
}

function work({ module, exchange, host }: ThreadOrder): void {
  const { words, incoming, outgoing } = exchange;
  const plugin = new PluginInstance(module, host);
  say(IDLE);
  for (;;) {
    while (Atomics.load(words, Word.turn) !== Turn.thread) Atomics.wait(words, Word.turn, Turn.host);
    const bytes = words[Word.inBytes] ?? 0;
    if (bytes > 0) plugin.push(new Uint8Array(incoming, 0, bytes));
    if (words[Word.asked] === Asked.close) return plugin.close(words[Word.closeMs] ?? 0);
    const pulled = plugin.pull(outgoing);
    words[Word.outBytes] = pulled.bytes;
    words[Word.more] = pulled.more ? 1 : 0;
    Atomics.store(words, Word.turn, Turn.host);
    say(IDLE);
  }
}

try {
  say(BEGINS);
  work(workerData as ThreadOrder);
} catch (thrown) {
  say(faultOf(thrown));
}
