/**
 * Env: everything that the core takes from the outside world.
 *
 * No package below an adapter reads the time, draws a random number, sets a timer or makes an id by itself: it gets
 * an `Env` by constructor. Two runtimes in one process share nothing, the simulator runs the production core on
 * virtual time, and the edge host brings its own platform. The Node version is `nodeEnv()` in the runtime.
 */
export interface Env {
  readonly clock: Clock;
  readonly timers: Timers;
  /** A float in [0, 1), as `Math.random`. Not for secrets. */
  readonly random: () => number;
  readonly ids: Ids;
  readonly crypto: Crypto;
  readonly log: Logger;
  readonly asyncContext: AsyncContext;
  /**
   * Runs `task` in a macrotask of the runtime's own, after the turn that is running now has ended: the microtask
   * queue is empty when it starts. Tasks run in the order given. Only from here may a batch be closed.
   */
  readonly afterTurn: (task: () => void) => void;
}

/** Two clocks: one for people, one for durations. */
export interface Clock {
  /** Wall clock, milliseconds since 1970. May jump either way. */
  now(): number;
  /** Milliseconds, fractional, from an arbitrary start; never goes back. */
  monotonic(): number;
  /** The wall clock goes with the monotonic one: nobody sets it. Default: false. */
  readonly steady?: boolean;
}

/** Timers of the platform, or of virtual time. */
export interface Timers {
  /** Calls `task` once, `delayMs` from now. Delays past 2^31-1 ms are the driver's to split. */
  set(task: () => void, delayMs: number, options?: TimerOptions): TimerHandle;
  /** Clearing a timer that has fired or was cleared does nothing. */
  clear(timer: TimerHandle): void;
}

/** How a timer is set. */
export interface TimerOptions {
  /** A background timer doesn't keep the process alive. Default: false. */
  readonly background?: boolean;
}

/** Opaque: only the `Timers` that made it can read it. */
export type TimerHandle = object | number;

/** Makes ids. */
export interface Ids {
  /** 128 random bits as 32 lower-case hexadecimal digits. */
  random(): string;
  /** A UUIDv7 (RFC 9562): sorts by the time it was made. */
  ordered(): string;
}

/** The cryptography that the core needs. */
export interface Crypto {
  /** SHA-256 of `data`, 32 bytes. */
  digest(data: Uint8Array): Promise<Uint8Array>;
  /** HMAC-SHA-256 of `data` under `key`, 32 bytes. */
  hmac(key: Uint8Array, data: Uint8Array): Promise<Uint8Array>;
  /** Compares in a time that depends on the lengths alone. */
  timingSafeEqual(a: Uint8Array, b: Uint8Array): boolean;
  randomBytes(length: number): Uint8Array;
}

/** What a log line says beside its message. */
export type LogFields = Readonly<Record<string, unknown>>;

/** Takes log lines. */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** A logger that adds `fields` to each line. */
  child(fields: LogFields): Logger;
}

/** Makes variables that follow a call through its awaits. */
export interface AsyncContext {
  /** False where a variable is lost behind the first await. */
  readonly follows: boolean;
  variable<T>(): AsyncVariable<T>;
}

/** A variable that each chain of calls has its own value of. */
export interface AsyncVariable<T> {
  /** Runs `fn`, and all that it awaits or starts, with the variable set to `value`. */
  run<R>(value: T, fn: () => R): R;
  get(): T | undefined;
}
