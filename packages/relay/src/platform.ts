/**
 * The one file of this package's core that touches the platform: Node, and what has its `node:async_hooks`.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import { randomFillSync } from "node:crypto";
import type { AsyncContext } from "@troupe/base";
import type { RelayEnv } from "./env.ts";
import { plainData } from "./events/plain-data.ts";

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

const digits = Buffer.from("0123456789abcdef");
/** Random bytes in one id. */
const DRAWN = 10;

/**
 * UUIDv7s. An event costs some microseconds, and its id should be little of that: random bytes are drawn for many at once,
 * for a system call each would dominate making them, and digits are written into one text in place.
 */
class OrderedIds {
  readonly #pool = Buffer.alloc(DRAWN * 512);
  #used = this.#pool.length;
  /** The next id, where its digits stand; those of version and variant never change, or are written with their neighbours. */
  readonly #text = Buffer.from("00000000-0000-7000-8000-000000000000");
  #stamped = Number.NaN;

  ordered(): string {
    const now = Date.now();
    if (now !== this.#stamped) this.#stamp(now);
    const text = this.#text;
    text[15] = this.#digit(this.#drawn() & 0x0f);
    this.#write(16, this.#drawn());
    this.#write(19, (this.#drawn() & 0x3f) | 0x80);
    this.#write(21, this.#drawn());
    for (let place = 24; place < 36; place += 2) this.#write(place, this.#drawn());
    return text.toString("latin1");
  }

  #stamp(now: number): void {
    const hex = now.toString(16).padStart(12, "0");
    this.#text.write(`${hex.slice(0, 8)}-${hex.slice(8)}`, 0, "latin1");
    this.#stamped = now;
  }

  #write(place: number, byte: number): void {
    this.#text[place] = this.#digit(byte >> 4);
    this.#text[place + 1] = this.#digit(byte & 0x0f);
  }

  #digit(value: number): number {
    return digits[value] ?? 0;
  }

  #drawn(): number {
    if (this.#used === this.#pool.length) {
      randomFillSync(this.#pool);
      this.#used = 0;
    }
    return this.#pool[this.#used++] ?? 0;
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
    ids: new OrderedIds(),
    log: { warn: (message, fields = {}) => console.warn(lineOf(message, fields)) },
  };
}

/**
 * One line, as those of the runtime's log: JSON for machines, text on a terminal. A program's log has both in it, and is read line by line.
 */
function lineOf(message: string, fields: Readonly<Record<string, unknown>>): string {
  const plain = Object.entries(fields).map(([name, value]) => [name, plainField(value)]);
  if (!process.stderr?.isTTY)
    return JSON.stringify({
      ts: new Date().toISOString(),
      level: "warn",
      msg: message,
      ...Object.fromEntries(plain),
    });
  const words = plain.map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  return ["troupe:", message, ...words].join(" ");
}

function plainField(value: unknown): unknown {
  if (!(value instanceof Error)) return plainData(value);
  const { name, message, stack } = value;
  return { name, message, stack };
}
