/**
 * The wasm carrier: a plugin that is a core module of WebAssembly, in a thread of its own, behind the ABI of native plugins.
 *
 * The module has its own memory, which may grow to a limit and no further, and two functions of ours: the time, and random
 * bytes. Nothing else is there for it. Whatever it does ends in its own thread: a trap, a loop, memory that it asks for
 * without end. Then its thread is ended, and the session is told why.
 *
 *   opening ──▶ open ── close() ──▶ closing: one last turn, then the thread ends, or is ended ──▶ ended
 *      │          └── a fault, a frame that can't be ──────────────────────────────────────────────┤
 *      └── a fault: rejected, when the thread is gone                                              ▼
 *
 * What is sent in one turn of the event loop goes together. While the thread works, frames wait in the outbox, which has a
 * limit; while the host doesn't ask, the plugin's wait in the plugin. What came out of one turn is taken from the exchange, and
 * the next turn begins: the thread works while the host hears. It has no third before the host has heard the first.
 */
import { TroupeError } from "@troupe/base";
import { engineLimits, limits } from "@troupe/protocol";
import {
  type HostFrame,
  HostFrameCodec,
  type PluginFrame,
  PluginFrameCodec,
} from "@troupe/protocol/plugin/v1";
import type { Carrier, CarrierEvents, CloseReport, OpenCarrier } from "../../carrier.ts";
import { pluginErrors } from "../../errors.ts";
import { FrameBudget } from "../frame-budget.ts";
import { Inbox } from "../native/inbox.ts";
import { Outbox, PUSH_BYTES } from "../native/outbox.ts";
import { compileModule, readModule } from "./checked-module.ts";
import { type Exchange, makeExchange, Word } from "./exchange.ts";
import { WasmThread } from "./wasm-thread.ts";

/** What a plugin in WebAssembly is opened with. */
export interface WasmCarrierOptions {
  /** Path of the module, or who brings its bytes, which were checked. */
  readonly wasm: string | (() => Promise<Uint8Array>);
  /** The module's SHA-256, hexadecimal, where `wasm` is a path: other bytes aren't run. Default: any. */
  readonly sha256?: string;
  /** Given to `troupe_plugin_open` as well as in Hello. JSON text; default: none. */
  readonly config?: Uint8Array;
  /** How far the module's memory may grow. Default: `engineLimits.wasmMemoryBytes`. */
  readonly memoryBytes?: number;
  /** The longest that it may run without an end. Default: `engineLimits.wasmTimeMs`. */
  readonly timeLimitMs?: number;
}

/**
 * Opens a plugin of a module, for `openSession`. Rejects with `plugin.wasm_missing`, `plugin.wasm_too_large`,
 * `plugin.integrity_mismatch`, `plugin.not_wasm`, `plugin.import_refused`, `plugin.export_missing`, `plugin.wasm_refused`,
 * `plugin.abi_mismatch`, `plugin.open_failed`, `plugin.trapped`, `plugin.time_exceeded`; nothing is left of it then.
 */
export function wasmCarrier(options: WasmCarrierOptions): OpenCarrier {
  return async (events) => {
    const { wasm, sha256, memoryBytes = engineLimits.wasmMemoryBytes } = options;
    const bytes = typeof wasm === "string" ? await readModule(wasm, sha256) : await wasm();
    const module = await compileModule(bytes, memoryBytes);
    return await new WasmCarrier(module, { ...options, events }).opened;
  };
}

interface CarrierParts extends WasmCarrierOptions {
  readonly events: CarrierEvents;
}

type Phase = "opening" | "open" | "closing" | "ended";

class WasmCarrier implements Carrier {
  readonly #parts: CarrierParts;
  readonly #exchange: Exchange;
  readonly #thread: WasmThread;
  readonly #outbox = new Outbox();
  readonly #inbox = new Inbox();
  readonly #budget = new FrameBudget(() => this.#hear());
  /** Bytes of the turn that is done, until they are in the inbox. */
  #outBytes = 0;
  /** The plugin has more than came out in its last turn. */
  #more = false;
  readonly #opened = Promise.withResolvers<Carrier>();
  readonly #gone = Promise.withResolvers<CloseReport>();
  #phase: Phase = "opening";
  #closeMs = 0;
  #overdue: NodeJS.Timeout | undefined;
  #scheduled = false;

  constructor(module: WebAssembly.Module, parts: CarrierParts) {
    this.#parts = parts;
    const { config = new Uint8Array(0), timeLimitMs = engineLimits.wasmTimeMs } = parts;
    this.#exchange = makeExchange(limits.pluginFrameBytes, PUSH_BYTES);
    this.#thread = new WasmThread({
      module,
      exchange: this.#exchange,
      host: { maxFrame: limits.pluginFrameBytes, maxQueued: limits.pluginQueuedFrames, config },
      timeLimitMs,
      ear: { idle: () => this.#turnDone(), ended: (error) => this.#ended(error) },
    });
  }

  /** Settles once, with the carrier or what keeps it from opening. */
  get opened(): Promise<Carrier> {
    return this.#opened.promise;
  }

  send(frame: HostFrame): void {
    if (this.#phase !== "open") return;
    const error = this.#outbox.add(HostFrameCodec.encode(frame));
    if (error !== undefined) return this.#thread.end(error);
    this.#budget.asked();
    if (!this.#scheduled) this.#schedule();
  }

  close(timeoutMs: number): Promise<CloseReport> {
    if (this.#phase === "open") {
      this.#phase = "closing";
      this.#closeMs = timeoutMs;
      this.#outBytes = 0;
      this.#overdue = setTimeout(() => this.#thread.end(), timeoutMs);
      this.#run();
    }
    return this.#gone.promise;
  }

  soon(): Promise<void> | undefined {
    return this.#thread.soon();
  }

  #schedule(): void {
    this.#scheduled = true;
    // The rest of what this turn of the loop has to say is written while it wakes.
    if (this.#thread.idle) this.#thread.wake();
    queueMicrotask(() => {
      this.#scheduled = false;
      this.#runNext();
    });
  }

  /** Its turn, if there is anything for it. */
  #runNext(): void {
    if (this.#more || this.#phase === "closing" || !this.#outbox.empty) this.#run();
  }

  /** Its turn, if it has none, and what came out of the last one isn't in the exchange any more. */
  #run(): void {
    if (!this.#thread.idle || this.#outBytes > 0) return;
    this.#more = false;
    let given = false;
    this.#outbox.take((frames) => {
      given = true;
      this.#give(frames);
    });
    if (!given) this.#give(undefined);
  }

  #give(frames: Uint8Array | undefined): void {
    if (this.#phase === "open") this.#thread.run(frames);
    else if (this.#phase === "closing") this.#thread.close(frames, this.#closeMs);
  }

  #turnDone(): void {
    if (this.#phase === "opening") {
      this.#phase = "open";
      this.#opened.resolve(this);
      return;
    }
    const { words } = this.#exchange;
    this.#more = words[Word.more] === 1;
    if (this.#phase === "open") this.#outBytes = words[Word.outBytes] ?? 0;
    this.#hear();
    this.#runNext();
  }

  /** What came out of the turn that is done, into the inbox; and the next one begins. */
  readonly #pull = (into: Uint8Array): number => {
    const bytes = this.#outBytes;
    if (bytes > into.byteLength) return -bytes;
    into.set(new Uint8Array(this.#exchange.outgoing, 0, bytes));
    this.#outBytes = 0;
    this.#runNext();
    return bytes;
  };

  /** As many frames as the host's own turn allows, and none behind one that can't be read. */
  #hear(): void {
    this.#budget.begin();
    while (this.#phase === "open" && !this.#thread.isEnding && !this.#budget.spent) {
      const pulled = this.#inbox.next(this.#pull);
      if (pulled === undefined) return;
      this.#budget.take();
      const frame = TroupeError.is(pulled) ? pulled : decode(pulled);
      if (TroupeError.is(frame)) return this.#thread.end(frame);
      this.#parts.events.frame(frame);
    }
  }

  #ended(error: TroupeError | undefined): void {
    const before = this.#phase;
    this.#phase = "ended";
    clearTimeout(this.#overdue);
    this.#outbox.clear();
    if (before === "opening") this.#opened.reject(error ?? pluginErrors.ended());
    else this.#parts.events.ended(before === "closing" ? undefined : error);
    this.#gone.resolve({ clean: true });
  }
}

function decode(bytes: Uint8Array): PluginFrame | TroupeError {
  try {
    return PluginFrameCodec.decode(bytes);
  } catch (cause) {
    return pluginErrors.violation("a frame that can't be read", cause);
  }
}
