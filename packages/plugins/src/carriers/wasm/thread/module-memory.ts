/**
 * The memory of a module, as the host's side of its thread sees it. A pointer is whatever the module says: every one is held
 * against the memory's size before it is used. The memory moves when it grows, so views are made for one use.
 */
import { Fault } from "./fault.ts";

/** One instance's memory. */
export class ModuleMemory {
  readonly #memory: WebAssembly.Memory;
  #whole: Uint8Array<ArrayBuffer>;

  constructor(memory: WebAssembly.Memory) {
    this.#memory = memory;
    this.#whole = new Uint8Array(memory.buffer);
  }

  /** A part of it, until the module runs again. Throws a Fault where there isn't one. */
  at(pointer: number, bytes: number): Uint8Array<ArrayBuffer> {
    return this.#current(pointer, bytes).subarray(pointer >>> 0, (pointer >>> 0) + bytes);
  }

  /** Throws a Fault where there isn't room. */
  write(pointer: number, bytes: Uint8Array): void {
    this.#current(pointer, bytes.byteLength).set(bytes, pointer >>> 0);
  }

  #current(pointer: number, bytes: number): Uint8Array<ArrayBuffer> {
    if (this.#whole.byteLength === 0 || this.#whole.buffer !== this.#memory.buffer)
      this.#whole = new Uint8Array(this.#memory.buffer);
    if ((pointer >>> 0) + bytes > this.#whole.byteLength)
      throw new Fault(
        "violation",
        `The plugin broke the contract: it named ${bytes} bytes at ${pointer >>> 0}, outside of its memory`,
      );
    return this.#whole;
  }
}
