/**
 * Env where there is only what browsers have: workerd and its like.
 *
 * There is no async context: a variable is known as long as the code runs that was started with it, not behind its
 * first await. Nothing that a remote host runs needs more.
 */
import type {
  AsyncContext,
  Clock,
  Crypto,
  Env,
  Ids,
  LogFields,
  Logger,
  TimerHandle,
  Timers,
} from "@troupe/base";

const clock: Clock = { now: () => Date.now(), monotonic: () => performance.now() };

/** Longest delay that setTimeout takes. */
const LONGEST_DELAY_MS = 2_147_483_647;

/** A timer that may be past setTimeout's longest delay: then it is set again. */
class LongTimer {
  handle: ReturnType<typeof setTimeout> | undefined;
}

const timers: Timers = {
  set(task, delayMs) {
    const timer = new LongTimer();
    const wait = (restMs: number): void => {
      const step = Math.min(restMs, LONGEST_DELAY_MS);
      timer.handle = setTimeout(() => (restMs > step ? wait(restMs - step) : task()), step);
    };
    wait(delayMs);
    return timer;
  },
  clear(timer: TimerHandle) {
    if (timer instanceof LongTimer) clearTimeout(timer.handle);
  },
};

const ids: Ids = {
  random: () => crypto.randomUUID().replaceAll("-", ""),
  // RFC 9562: 48 bits of milliseconds, the version, and 74 random bits.
  ordered: () => {
    const time = Date.now().toString(16).padStart(12, "0");
    return `${time.slice(0, 8)}-${time.slice(8)}-7${crypto.randomUUID().slice(15)}`;
  },
};

const webCrypto: Crypto = {
  digest: async (data) => new Uint8Array(await crypto.subtle.digest("SHA-256", Uint8Array.from(data))),
  hmac: async (key, data) => {
    const algorithm = { name: "HMAC", hash: "SHA-256" };
    const imported = await crypto.subtle.importKey("raw", Uint8Array.from(key), algorithm, false, ["sign"]);
    return new Uint8Array(await crypto.subtle.sign("HMAC", imported, Uint8Array.from(data)));
  },
  timingSafeEqual: (a, b) => {
    if (a.byteLength !== b.byteLength) return false;
    let difference = 0;
    for (let index = 0; index < a.byteLength; index += 1) difference |= (a[index] ?? 0) ^ (b[index] ?? 0);
    return difference === 0;
  },
  randomBytes: (length) => crypto.getRandomValues(new Uint8Array(length)),
};

const asyncContext: AsyncContext = {
  follows: false,
  variable<T>() {
    let current: T | undefined;
    return {
      run<R>(value: T, fn: () => R): R {
        const before = current;
        current = value;
        try {
          return fn();
        } finally {
          current = before;
        }
      },
      get: () => current,
    };
  },
};

/** Lines as the platform's console takes them. */
class ConsoleLogger implements Logger {
  readonly #fields: LogFields;

  constructor(fields: LogFields = {}) {
    this.#fields = fields;
  }

  debug(message: string, fields?: LogFields): void {
    console.debug(message, { ...this.#fields, ...fields });
  }

  info(message: string, fields?: LogFields): void {
    console.info(message, { ...this.#fields, ...fields });
  }

  warn(message: string, fields?: LogFields): void {
    console.warn(message, { ...this.#fields, ...fields });
  }

  error(message: string, fields?: LogFields): void {
    console.error(message, { ...this.#fields, ...fields });
  }

  child(fields: LogFields): Logger {
    return new ConsoleLogger({ ...this.#fields, ...fields });
  }
}

/** The Env of an edge host. */
export function edgeEnv(): Env {
  return {
    clock,
    timers,
    random: Math.random,
    ids,
    crypto: webCrypto,
    log: new ConsoleLogger(),
    asyncContext,
    afterTurn: (task) => void setTimeout(task, 0),
  };
}
