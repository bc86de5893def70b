/**
 * Env on Node: the real clock, timers, randomness and log.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import { createHash, createHmac, randomBytes, randomFillSync, timingSafeEqual } from "node:crypto";
import type { AsyncContext, Clock, Crypto, Env, Ids, TimerHandle, Timers } from "@troupe/base";
import { type LogLevel, NodeLogger } from "./log.ts";

/** Longest delay that setTimeout takes. */
const LONGEST_DELAY_MS = 2_147_483_647;

const clock: Clock = { now: Date.now, monotonic: () => performance.now() };

/** A timer that may be past setTimeout's longest delay: then it is set again. */
class LongTimer {
  handle: NodeJS.Timeout | undefined;
}

const timers: Timers = {
  set(task, delayMs, options) {
    const timer = new LongTimer();
    const wait = (restMs: number): void => {
      const step = Math.min(restMs, LONGEST_DELAY_MS);
      timer.handle = setTimeout(() => (restMs > step ? wait(restMs - step) : task()), step);
      if (options?.background) timer.handle.unref();
    };
    wait(delayMs);
    return timer;
  },
  clear(timer: TimerHandle) {
    if (timer instanceof LongTimer) clearTimeout(timer.handle);
  },
};

/** Random bytes are drawn for many ids at once: one system call each would dominate making them. */
class IdPool implements Ids {
  readonly #pool = Buffer.alloc(16 * 256);
  #offset = this.#pool.length;

  random(): string {
    const bytes = this.#next();
    return bytes.toString("hex");
  }

  ordered(): string {
    const bytes = this.#next();
    bytes.writeUIntBE(Date.now(), 0, 6);
    bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x70;
    bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
    const hex = bytes.toString("hex");
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
  }

  #next(): Buffer {
    if (this.#offset === this.#pool.length) {
      randomFillSync(this.#pool);
      this.#offset = 0;
    }
    const bytes = this.#pool.subarray(this.#offset, this.#offset + 16);
    this.#offset += 16;
    return bytes;
  }
}

const crypto: Crypto = {
  digest: async (data) => createHash("sha256").update(data).digest(),
  hmac: async (key, data) => createHmac("sha256", Buffer.from(key)).update(data).digest(),
  timingSafeEqual: (a, b) => a.byteLength === b.byteLength && timingSafeEqual(a, b),
  randomBytes: (length) => randomBytes(length),
};

const asyncContext: AsyncContext = {
  follows: true,
  variable<T>() {
    const storage = new AsyncLocalStorage<T>();
    return {
      run<R>(value: T, fn: () => R): R {
        return storage.run<R>(value, fn);
      },
      get: () => storage.getStore(),
    };
  },
};

/** The Env of this process. Two of them share nothing that can change. */
export function nodeEnv(options: { logLevel?: LogLevel } = {}): Env {
  return {
    clock,
    timers,
    random: Math.random,
    ids: new IdPool(),
    crypto,
    log: new NodeLogger(options.logLevel ?? "info"),
    asyncContext,
    afterTurn: (task) => {
      setImmediate(task);
    },
  };
}
