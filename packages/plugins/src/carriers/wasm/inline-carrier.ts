/**
 * The wasm carrier where there are no threads: workerd and its like, which compile a module before the program runs and give
 * it as a `WebAssembly.Module`.
 *
 * The module runs in the host's own thread, in a microtask behind the turn that sent to it. What the thread's carrier keeps
 * out by itself is the platform's to keep out here: a module that runs without an end, or whose memory grows without one,
 * ends with the worker that it is in, whose limits of time and memory the platform sets. A trap ends the plugin alone.
 *
 *   open ── close() ──▶ ended
 *     └── a fault, a frame that can't be ──▶ ended, and the session is told why
 */
import type { TroupeError } from "@troupe/base";
import { limits } from "@troupe/protocol";
import {
  type HostFrame,
  HostFrameCodec,
  type PluginFrame,
  PluginFrameCodec,
} from "@troupe/protocol/plugin/v1";
import type { Carrier, CarrierEvents, CloseReport, OpenCarrier } from "../../carrier.ts";
import { pluginErrors } from "../../errors.ts";
import { wasmErrors } from "./errors.ts";
import { checkShape } from "./module-shape.ts";
import { faultOf } from "./thread/fault.ts";
import { PluginInstance } from "./thread/instance.ts";

const LENGTH_BYTES = 4;

/**
 * Opens a plugin of a module that is compiled, for `openSession`. Rejects with `plugin.not_wasm`, `plugin.import_refused`,
 * `plugin.export_missing`, `plugin.abi_mismatch`, `plugin.open_failed`, `plugin.trapped`.
 */
export function inlineWasmCarrier(
  module: WebAssembly.Module,
  config: Uint8Array = new Uint8Array(0),
): OpenCarrier {
  return async (events) => {
    if (!(module instanceof WebAssembly.Module)) throw wasmErrors.notWasm("it is no WebAssembly.Module");
    checkShape(module);
    try {
      const { pluginFrameBytes: maxFrame, pluginQueuedFrames: maxQueued } = limits;
      return new InlineCarrier(new PluginInstance(module, { maxFrame, maxQueued, config }), events);
    } catch (thrown) {
      throw wasmErrors.fault(faultOf(thrown));
    }
  };
}

class InlineCarrier implements Carrier {
  readonly #plugin: PluginInstance;
  readonly #events: CarrierEvents;
  readonly #waiting: Uint8Array[] = [];
  #room = new Uint8Array(0);
  #scheduled = false;
  #ended = false;

  constructor(plugin: PluginInstance, events: CarrierEvents) {
    this.#plugin = plugin;
    this.#events = events;
  }

  send(frame: HostFrame): void {
    if (this.#ended) return;
    const bytes = HostFrameCodec.encode(frame);
    if (bytes.byteLength > limits.pluginFrameBytes)
      return this.#end(pluginErrors.frameTooLong(bytes.byteLength, limits.pluginFrameBytes));
    this.#waiting.push(bytes);
    if (this.#scheduled) return;
    this.#scheduled = true;
    queueMicrotask(() => this.#turn());
  }

  async close(timeoutMs: number): Promise<CloseReport> {
    if (this.#ended) return { clean: true };
    try {
      this.#push();
      this.#ended = true;
      this.#plugin.close(timeoutMs);
    } catch {
      // It is over in any case, and its memory goes with it.
    }
    this.#end(undefined);
    return { clean: true };
  }

  #turn(): void {
    this.#scheduled = false;
    if (this.#ended) return;
    try {
      this.#push();
      const { bytes, more } = this.#plugin.pull((room) => this.#reserve(room));
      this.#hear(this.#room.subarray(0, bytes));
      // A plugin that never has said all leaves the others their turn.
      if (more && !this.#scheduled) this.#later();
    } catch (thrown) {
      this.#end(wasmErrors.fault(faultOf(thrown)));
    }
  }

  #later(): void {
    this.#scheduled = true;
    setTimeout(() => this.#turn(), 0);
  }

  #push(): void {
    for (const frame of this.#waiting.splice(0)) {
      const framed = new Uint8Array(LENGTH_BYTES + frame.byteLength);
      new DataView(framed.buffer).setUint32(0, frame.byteLength, true);
      framed.set(frame, LENGTH_BYTES);
      this.#plugin.push(framed);
    }
  }

  /** Whoever hears a frame may send at once: that is the next turn's. */
  #hear(said: Uint8Array): void {
    // A copy: what is heard may be kept as long as the frame is, and the room is used again.
    const frames = said.slice();
    const view = new DataView(frames.buffer);
    for (let at = 0; at < frames.byteLength && !this.#ended; ) {
      const left = frames.byteLength - at - LENGTH_BYTES;
      const length = left < 0 ? Infinity : view.getUint32(at, true);
      if (length > left) return this.#end(pluginErrors.violation("bytes that aren't a whole frame"));
      const start = at + LENGTH_BYTES;
      const frame = decoded(frames.subarray(start, start + length));
      if (frame === undefined) return this.#end(pluginErrors.violation("a frame that can't be read"));
      this.#events.frame(frame);
      at = start + length;
    }
  }

  #reserve(bytes: number): Uint8Array {
    if (this.#room.byteLength < bytes) this.#room = new Uint8Array(bytes);
    return this.#room;
  }

  #end(error: TroupeError | undefined): void {
    if (this.#ended && error !== undefined) return;
    this.#ended = true;
    this.#waiting.length = 0;
    this.#events.ended(error);
  }
}

function decoded(bytes: Uint8Array): PluginFrame | undefined {
  try {
    return PluginFrameCodec.decode(bytes);
  } catch {
    return undefined;
  }
}
