/**
 * The one file of this package's core that touches the platform: Node, and what has its `node:async_hooks`.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import { randomFillSync } from "node:crypto";
import type { AsyncContext } from "@troupe/base";
import type { RelayEnv } from "./env.ts";

const asyncContext: AsyncContext = {
  follows: true,
  variable<T>() {
    const storage = new AsyncLocalStorage<T>();
    return {
      run: <R>(value: T, fn: () => R): R => storage.run<R>(value, fn),
      get: () => storage.getStore(),
    };
  },
};

/** UUIDv7s. Random bytes are drawn for many at once: a system call for each would dominate making them. */
class IdPool {
  readonly #pool = Buffer.alloc(16 * 256);
  #offset = this.#pool.length;

  ordered(): string {
    if (this.#offset === this.#pool.length) {
      randomFillSync(this.#pool);
      this.#offset = 0;
    }
    const bytes = this.#pool.subarray(this.#offset, this.#offset + 16);
    this.#offset += 16;
    bytes.writeUIntBE(Date.now(), 0, 6);
    bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x70, 6);
    bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
    const hex = bytes.toString("hex");
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
  }
}

/** The platform that this runs on. Two of them share nothing that can change. */
export function platformEnv(): RelayEnv {
  return {
    clock: { now: Date.now, monotonic: () => performance.now() },
    timers: {
      set: (task, delayMs, options) => {
        const timer = setTimeout(task, delayMs);
        if (options?.background === true) timer.unref();
        return timer;
      },
      clear: (timer) => clearTimeout(timer as NodeJS.Timeout),
    },
    asyncContext,
    afterTurn: (task) => void setImmediate(task),
    ids: new IdPool(),
    log: { warn: (message, fields) => console.warn(`troupe: ${message}`, fields ?? "") },
  };
}
