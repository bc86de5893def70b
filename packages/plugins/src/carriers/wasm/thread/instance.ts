/**
 * Instance: a plugin's module, instantiated, behind the functions of the ABI. All that it returns is looked at; all that it
 * imports is here.
 */
import { type ExportName, IMPORT_MODULE, MEMORY } from "../contract.ts";
import { TURN_BYTES } from "../exchange.ts";
import { Fault } from "./fault.ts";
import { ModuleMemory } from "./module-memory.ts";

/** The host's version of the ABI: as in `native/ffi.ts`, which is not for threads. */
const ABI = 0x0001_0000;
const HOST_BYTES = 32;
/** The most that the engine fills with random bytes at once. */
const RANDOM_BYTES = 65_536;
const FULL = 1;

/** What `troupe_plugin_open` is told. */
export interface HostTable {
  readonly maxFrame: number;
  readonly maxQueued: number;
  /** JSON text, or nothing. */
  readonly config: Uint8Array;
}

/** What came out in one turn. */
export interface Pulled {
  readonly bytes: number;
  /** The plugin has more. */
  readonly more: boolean;
}

/** Gives so many bytes of what frames are taken out to; one with more is its beginning again. */
export type OutRoom = (bytes: number) => Uint8Array;

/** Room in the module's memory. */
interface Room {
  readonly pointer: number;
  readonly bytes: number;
}

/** A plugin that is open. Every method throws a Fault, or what the engine throws when the module traps. */
export class PluginInstance {
  readonly #exports: WebAssembly.Exports;
  readonly #memory: ModuleMemory;
  readonly #maxFrame: number;
  readonly #plugin: number;
  readonly #in: Room;
  readonly #out: Room;

  /** Runs the module's start function, and opens the plugin. */
  constructor(module: WebAssembly.Module, host: HostTable) {
    const imports = {
      now_ms: () => Date.now(),
      random: (pointer: number, bytes: number) => this.#random(pointer, bytes >>> 0),
    };
    this.#exports = new WebAssembly.Instance(module, { [IMPORT_MODULE]: imports }).exports;
    const memory = this.#exports[MEMORY];
    if (!(memory instanceof WebAssembly.Memory))
      throw new Fault("violation", "The plugin broke the contract: its memory isn't one");
    this.#memory = new ModuleMemory(memory);
    this.#maxFrame = host.maxFrame;
    const found = this.#call("troupe_plugin_abi");
    if (found >>> 16 !== ABI >>> 16)
      throw new Fault(
        "abi_mismatch",
        `The module speaks version ${found >>> 16} of the ABI; this host speaks 1`,
      );
    this.#in = this.#alloc(TURN_BYTES);
    this.#out = this.#alloc(TURN_BYTES);
    this.#plugin = this.#open(host);
  }

  /** Gives it whole frames. */
  push(frames: Uint8Array): void {
    const room = frames.byteLength <= this.#in.bytes ? this.#in : this.#alloc(frames.byteLength);
    this.#memory.write(room.pointer, frames);
    const status = this.#call("troupe_plugin_push", this.#plugin, room.pointer, frames.byteLength);
    if (room !== this.#in) this.#free(room);
    // It was empty before, and has no thread that could make room later.
    if (status === FULL) throw new Fault("broken", "troupe_plugin_push took nothing, with an empty queue");
    if (status !== 0) throw new Fault("broken", `troupe_plugin_push gave ${status}: the plugin can't go on`);
  }

  /** Takes frames, as many as one turn holds, or one that is longer. */
  pull(into: OutRoom): Pulled {
    let used = 0;
    while (used < TURN_BYTES) {
      const size = this.#pull(this.#out, TURN_BYTES - used);
      if (size === 0) return { bytes: used, more: false };
      if (size < 0) return used > 0 ? { bytes: used, more: true } : this.#pullLong(into, -size);
      into(TURN_BYTES).set(this.#memory.at(this.#out.pointer, size), used);
      used += size;
    }
    return { bytes: used, more: true };
  }

  close(timeoutMs: number): void {
    this.#call("troupe_plugin_close", this.#plugin, timeoutMs);
  }

  #open({ maxFrame, maxQueued, config }: HostTable): number {
    const room = this.#alloc(HOST_BYTES + 4 + config.byteLength);
    const table = new DataView(new ArrayBuffer(HOST_BYTES + 4));
    // size, abi, wake (none), wake_kind (none), max_frame, max_queued; then where the plugin's handle goes.
    for (const [offset, value] of [HOST_BYTES, ABI, 0, 0, 0, maxFrame, maxQueued].entries())
      table.setUint32(offset * 4, value, true);
    this.#memory.write(room.pointer, new Uint8Array(table.buffer));
    this.#memory.write(room.pointer + HOST_BYTES + 4, config);
    const out = room.pointer + HOST_BYTES;
    const status = this.#call("troupe_plugin_open", room.pointer, out + 4, config.byteLength, out);
    if (status !== 0) throw new Fault("open_failed", `troupe_plugin_open gave ${status}`);
    const [a = 0, b = 0, c = 0, d = 0] = this.#memory.at(out, 4);
    this.#free(room);
    return a | (b << 8) | (c << 16) | (d << 24);
  }

  #pull(room: Room, capacity: number): number {
    const size = this.#call("troupe_plugin_pull", this.#plugin, room.pointer, capacity);
    if (size > capacity)
      throw new Fault(
        "violation",
        `The plugin broke the contract: troupe_plugin_pull gave ${size} bytes where ${capacity} have room`,
      );
    return size;
  }

  #pullLong(into: OutRoom, needed: number): Pulled {
    if (needed <= TURN_BYTES || needed > this.#maxFrame + 4)
      throw new Fault("broken", `troupe_plugin_pull gave ${-needed}: the plugin can't go on`);
    const room = this.#alloc(needed);
    const bytes = this.#pull(room, needed);
    if (bytes <= 0)
      throw new Fault("broken", `troupe_plugin_pull gave ${bytes} for the room that it asked for`);
    into(bytes).set(this.#memory.at(room.pointer, bytes));
    this.#free(room);
    return { bytes, more: true };
  }

  #alloc(bytes: number): Room {
    const pointer = this.#call("troupe_plugin_alloc", bytes);
    if (pointer === 0) throw new Fault("no_memory", `The plugin has no memory for ${bytes} bytes`);
    this.#memory.at(pointer, bytes);
    return { pointer, bytes };
  }

  #free({ pointer, bytes }: Room): void {
    const free = this.#function("troupe_plugin_free");
    free(pointer, bytes);
  }

  #random(pointer: number, bytes: number): void {
    const room = this.#memory.at(pointer, bytes);
    for (let at = 0; at < bytes; at += RANDOM_BYTES)
      crypto.getRandomValues(room.subarray(at, Math.min(at + RANDOM_BYTES, bytes)));
  }

  #call(name: ExportName, ...args: readonly number[]): number {
    const result: unknown = this.#function(name)(...args);
    if (typeof result === "number") return result;
    if (typeof result === "bigint") return Number(result);
    throw new Fault("violation", `The plugin broke the contract: ${name} returned no number`);
  }

  #function(name: ExportName): (...args: readonly number[]) => unknown {
    const found = this.#exports[name];
    if (typeof found !== "function")
      throw new Fault("violation", `The plugin broke the contract: ${name} isn't a function`);
    return found as (...args: readonly number[]) => unknown;
  }
}
