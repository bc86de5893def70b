/**
 * A plugin's thread: waits for its turn, gives it to the module, and gives it back. It does nothing else, holds nothing of
 * the host's but the exchange, and ends when it is told to, when the module can't go on, or when the host ends it.
 */
import { parentPort, workerData } from "node:worker_threads";
import { Asked, type Exchange, reserve, Turn, Word } from "../exchange.ts";
import { faultOf, type ThreadFault } from "./fault.ts";
import { type HostTable, PluginInstance } from "./instance.ts";

/** What a thread is started with. */
export interface ThreadOrder {
  readonly module: WebAssembly.Module;
  readonly exchange: Exchange;
  readonly host: HostTable;
}

/** What it says: it begins to open the module, it is open, or it ends. */
export type ThreadSaying = typeof BEGINS | typeof OPEN | ThreadFault;

const BEGINS = 1;
const OPEN = 0;

function say(saying: ThreadSaying): void {
  parentPort?.postMessage(saying);
}

/** True when it is the thread's turn, or is in the time for which it looks. Woken before its turn it looks again. */
function look(words: Int32Array): boolean {
  const until = performance.now() + Atomics.load(words, Word.lookUs) / 1_000;
  while (Atomics.load(words, Word.turn) === Turn.host) if (performance.now() >= until) return false;
  return true;
}

function work({ module, exchange, host }: ThreadOrder): void {
  const { words, incoming, outgoing } = exchange;
  const plugin = new PluginInstance(module, host);
  say(OPEN);
  for (;;) {
    while (!look(words)) Atomics.wait(words, Word.turn, Turn.host);
    const bytes = words[Word.inBytes] ?? 0;
    if (bytes > 0) plugin.push(new Uint8Array(incoming, 0, bytes));
    if (words[Word.asked] === Asked.close) return plugin.close(words[Word.closeMs] ?? 0);
    const pulled = plugin.pull((room) => reserve(outgoing, room));
    words[Word.outBytes] = pulled.bytes;
    words[Word.more] = pulled.more ? 1 : 0;
    Atomics.store(words, Word.turn, Turn.host);
    Atomics.notify(words, Word.turn);
  }
}

try {
  say(BEGINS);
  work(workerData as ThreadOrder);
} catch (thrown) {
  say(faultOf(thrown));
}
