/**
 * The native carrier: a plugin that is a shared library in this process, behind the ABI of `sdks/c/include/troupe_plugin.h`.
 *
 * The plugin keeps a queue of its frames. Three things make us look at it: we pushed something (an answer made in place
 * is there already), the plugin's byte came through the wake pipe, or we stopped looking because others wanted a turn.
 * What is sent in one turn is pushed together, at the turn's end, and pulled for once. Push and pull are called on the
 * JavaScript thread alone, never inside each other, and never after close began.
 *
 *   opening ──▶ open ── close() ──▶ closing ── none of its threads runs ──▶ closed: the pipe goes
 *                 └── it is broken ──▶ broken ── close() ──▶ closing        └── some do ──▶ left: the pipe stays
 *
 * A crash of the plugin is a crash of this process: in process only what is trusted. The library is never unmapped.
 */
import { TroupeError } from "@troupe/base";
import { limits } from "@troupe/protocol";
import {
  type HostFrame,
  HostFrameCodec,
  type PluginFrame,
  PluginFrameCodec,
} from "@troupe/protocol/plugin/v1";
import type { Carrier, CarrierEvents, CloseReport, OpenCarrier } from "../../carrier.ts";
import { pluginErrors } from "../../errors.ts";
import { FrameBudget } from "../frame-budget.ts";
import { nativeErrors } from "./errors.ts";
import { type Ffi, importFfi, type NativeLibrary, type PluginHandle } from "./ffi.ts";
import { Inbox } from "./inbox.ts";
import { loadLibrary } from "./libraries.ts";
import { readLibrary } from "./library-file.ts";
import { Outbox } from "./outbox.ts";
import { Wake } from "./wake.ts";

/** What a native plugin is opened with. */
export interface NativeCarrierOptions {
  /** Path of the shared library. */
  readonly library: string;
  /** The library's SHA-256, hexadecimal: other bytes aren't loaded. Default: any. */
  readonly sha256?: string;
  /** The longest frame, either way: as `openSession` is told. Default: `limits.pluginFrameBytes`. */
  readonly frameBytes?: number;
  /** Given to `troupe_plugin_open` as well as in Hello. JSON text; default: none. */
  readonly config?: Uint8Array;
}

/**
 * Opens a plugin of a shared library, for `openSession`. Rejects with `package.missing`, `plugin.library_missing`,
 * `plugin.integrity_mismatch`, `plugin.not_a_library`, `plugin.load_failed`, `plugin.symbol_missing`, `plugin.abi_mismatch`, `plugin.open_failed`.
 */
export function nativeCarrier(options: NativeCarrierOptions): OpenCarrier {
  return async (events) => {
    const ffi = await importFfi();
    const library = await loadLibrary(ffi, await readLibrary(options.library, options.sha256));
    const { config = new Uint8Array(0), frameBytes = limits.pluginFrameBytes } = options;
    return await openPlugin({ ffi, library, config, frameBytes, events });
  };
}

/** A loaded library, and who wants to talk to a plugin of it. */
export interface OpenPluginOptions {
  readonly ffi: Ffi;
  readonly library: NativeLibrary;
  readonly config: Uint8Array;
  /** Default: `limits.pluginFrameBytes`. */
  readonly frameBytes?: number;
  readonly events: CarrierEvents;
}

/** Opens one plugin of a loaded library. */
export async function openPlugin(options: OpenPluginOptions): Promise<Carrier> {
  const { ffi, library, config, events } = options;
  let carrier: NativeCarrier | undefined;
  // Woken before open has returned: the first look comes with the first push, and that is Hello.
  const wake = new Wake(ffi.pipe(), () => carrier?.woken());
  const host = {
    wake: wake.descriptor,
    maxFrame: options.frameBytes ?? limits.pluginFrameBytes,
    maxQueued: limits.pluginQueuedFrames,
  };
  const { status, plugin } = await library.open(host, config).catch((error: unknown) => {
    wake.close();
    throw error;
  });
  if (status !== 0 || plugin === undefined) {
    wake.close();
    throw nativeErrors.openFailed(status);
  }
  carrier = new NativeCarrier({ library, plugin, wake, events });
  return carrier;
}

type Phase =
  | { readonly tag: "open" }
  | { readonly tag: "broken" }
  | { readonly tag: "closed"; readonly report: Promise<CloseReport> };

class NativeCarrier implements Carrier {
  readonly #library: NativeLibrary;
  readonly #plugin: PluginHandle;
  readonly #wake: Wake;
  readonly #events: CarrierEvents;
  readonly #outbox = new Outbox();
  readonly #inbox = new Inbox();
  #phase: Phase = { tag: "open" };
  #scheduled = false;
  #running = false;
  readonly #budget = new FrameBudget(() => this.#run());

  constructor(parts: { library: NativeLibrary; plugin: PluginHandle; wake: Wake; events: CarrierEvents }) {
    this.#library = parts.library;
    this.#plugin = parts.plugin;
    this.#wake = parts.wake;
    this.#events = parts.events;
  }

  send(frame: HostFrame): void {
    if (this.#phase.tag !== "open") return;
    // An actor that starts may have more rows than may wait here: what the plugin takes now doesn't.
    if (this.#outbox.large) this.#push();
    const error = this.#outbox.add(HostFrameCodec.encode(frame));
    if (error !== undefined) return this.#break(error);
    this.#budget.asked();
    this.#schedule();
  }

  close(timeoutMs: number): Promise<CloseReport> {
    if (this.#phase.tag === "closed") return this.#phase.report;
    // Goodbye, if the plugin takes it: nobody waits for one that doesn't.
    if (this.#phase.tag === "open") this.#push();
    const report = this.#finish(timeoutMs, this.#phase.tag === "open");
    this.#phase = { tag: "closed", report };
    this.#outbox.clear();
    return report;
  }

  /** The plugin's queue is no longer empty, or it can take something in again. */
  woken(): void {
    if (!this.#budget.spent) this.#run();
  }

  #schedule(): void {
    // Inside of a run, the run goes on; with nothing left of the budget, the next turn does.
    if (this.#scheduled || this.#running || this.#budget.spent) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      if (!this.#budget.spent) this.#run();
    });
  }

  #run(): void {
    if (this.#running) return;
    this.#running = true;
    this.#budget.begin();
    try {
      while (this.#phase.tag === "open" && !this.#budget.spent) {
        this.#push();
        if (!this.#take()) break;
      }
    } finally {
      this.#running = false;
    }
  }

  #push(): void {
    const error = this.#outbox.push((frames, bytes) => this.#library.push(this.#plugin, frames, bytes));
    if (error !== undefined) this.#break(error);
  }

  /** Takes frames until there is something to push, none is left or others have their turn. True when it has to go on. */
  #take(): boolean {
    const pull = (into: Uint8Array) => this.#library.pull(this.#plugin, into);
    while (this.#phase.tag === "open" && !this.#budget.spent) {
      const pulled = this.#inbox.next(pull);
      if (pulled === undefined) return false;
      this.#budget.take();
      if (TroupeError.is(pulled)) {
        this.#break(pulled);
        return false;
      }
      const frame = decode(pulled);
      if (TroupeError.is(frame)) this.#break(frame);
      else this.#events.frame(frame);
      if (!this.#outbox.empty) return true;
    }
    return true;
  }

  #break(error: TroupeError): void {
    if (this.#phase.tag !== "open") return;
    this.#phase = { tag: "broken" };
    this.#outbox.clear();
    this.#events.ended(error);
  }

  async #finish(timeoutMs: number, tell: boolean): Promise<CloseReport> {
    const status = await this.#library.close(this.#plugin, timeoutMs).catch(() => 1);
    const clean = status === 0;
    if (clean) this.#wake.close();
    else this.#wake.abandon();
    if (tell) this.#events.ended(undefined);
    return { clean };
  }
}

function decode(bytes: Uint8Array): PluginFrame | TroupeError {
  try {
    return PluginFrameCodec.decode(bytes);
  } catch (cause) {
    return pluginErrors.violation("a frame that can't be read", cause);
  }
}
