/**
 * SimProcess: an operating system process in the simulated world, with its event loop's queues and its Env.
 *
 * `kill` is what kill -9 and a power cut do: from that instant nothing of the process is observable. It may come in the
 * middle of a macrotask (before or after a write, between two messages): the JavaScript that is on the stack then runs
 * on to the end of its turn in limbo, where every call out of the process does nothing, and is never entered again.
 * So everything here, and everything that crosses the border of a process, asks `alive` first.
 */

import { AsyncLocalStorage, AsyncResource } from "node:async_hooks";
import { createHash } from "node:crypto";
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
import { type Entry, FifoLane, type Lane, TimerLane } from "./lane.ts";
import type { Random } from "./random.ts";
import type { World } from "./world.ts";

/** A timer that was set. */
class SimTimer {
  readonly entry: Entry;

  constructor(entry: Entry) {
    this.entry = entry;
  }
}

/** A process: the server, or one client's machine. */
export class SimProcess {
  readonly name: string;
  readonly world: World;
  readonly random: Random;
  readonly env: Env;
  readonly #turns: FifoLane;
  readonly #timers: TimerLane;
  /** What comes from outside, in the order of its coming. */
  readonly #arrivals: TimerLane;
  readonly #foreground = new Set<SimTimer>();
  readonly #lanes: Lane[] = [];
  readonly #onDeath: (() => void)[] = [];
  #alive = true;

  constructor(name: string, world: World) {
    this.name = name;
    this.world = world;
    this.random = world.random.fork();
    this.#turns = this.lane("turns");
    this.#timers = new TimerLane(`${name}.timers`, world.scheduler);
    this.#arrivals = new TimerLane(`${name}.arrivals`, world.scheduler);
    this.#lanes.push(this.#timers, this.#arrivals);
    this.env = this.#makeEnv();
  }

  get alive(): boolean {
    return this.#alive;
  }

  /** Timers of the runtime or the client that would keep the process alive. */
  get timersSet(): number {
    return this.#foreground.size;
  }

  /** A queue that dies with the process. */
  lane(name: string): FifoLane {
    const lane = new FifoLane(`${this.name}.${name}`, this.world.scheduler);
    if (!this.#alive) lane.close();
    this.#lanes.push(lane);
    return lane;
  }

  /** Called when the process dies: links break, the disk falls back. */
  onDeath(task: () => void): void {
    this.#onDeath.push(task);
  }

  /** The end, at once. */
  kill(): void {
    if (!this.#alive) return;
    this.#alive = false;
    for (const lane of this.#lanes) lane.close();
    for (const task of this.#onDeath) task();
  }

  /** Runs `task` in a macrotask of its own, as if the outside world had caused it. */
  enter(task: () => void): void {
    this.#turns.add(this.world.scheduler.now, task);
  }

  /** Runs `task` in `delayMs`, as something that comes from outside of the process. */
  later(delayMs: number, task: () => void): void {
    this.#arrivals.add(this.world.scheduler.now + delayMs, task);
  }

  /** Settles after `delayMs` of virtual time. Not a timer of the runtime's: for the code of users and actors. */
  sleep(delayMs: number): Promise<void> {
    return new Promise((resolve) => this.later(delayMs, resolve));
  }

  #makeEnv(): Env {
    const { world, random } = this;
    return {
      clock: this.#makeClock(),
      timers: this.#makeTimers(),
      random: random.float,
      ids: makeIds(random, () => world.wallNow()),
      crypto: simCrypto(random),
      log: new SimLogger(this, ""),
      asyncContext,
      afterTurn: (task) => void this.#turns.add(world.scheduler.now, keepContext(task)),
    };
  }

  #makeClock(): Clock {
    const { world } = this;
    return { now: () => Math.floor(world.wallNow()), monotonic: () => world.scheduler.now };
  }

  /** Timers are late by what else the machine does, and, as in libuv, early by less than a millisecond. */
  #makeTimers(): Timers {
    const { scheduler, options } = this.world;
    return {
      set: (task, delayMs, timerOptions) => {
        const jitterMs = this.random.chance(options.timerJitter) ? this.random.between(-0.9, 5) : 0;
        const at = scheduler.now + Math.max(0, Math.max(1, delayMs) + jitterMs);
        const enter = keepContext(task);
        const run = (): void => {
          this.#foreground.delete(timer);
          enter();
        };
        const timer = new SimTimer(this.#timers.add(at, run));
        if (timerOptions?.background !== true) this.#foreground.add(timer);
        return timer;
      },
      clear: (timer: TimerHandle) => {
        if (!(timer instanceof SimTimer)) return;
        timer.entry.task = undefined;
        this.#foreground.delete(timer);
      },
    };
  }
}

/** As Node does for timers and immediates: the task runs in the async context that set it. */
function keepContext(task: () => void): () => void {
  const context = new AsyncResource("SimTask");
  return () => context.runInAsyncScope(task);
}

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

function makeIds(random: Random, wallNow: () => number): Ids {
  return {
    random: () => random.hex(32),
    ordered: () => {
      const time = Math.floor(wallNow()).toString(16).padStart(12, "0");
      return `${time.slice(0, 8)}-${time.slice(8)}-7${random.hex(3)}-8${random.hex(3)}-${random.hex(12)}`;
    },
  };
}

/** The simulated world has no secrets: nothing here is cryptography. */
function simCrypto(random: Random): Crypto {
  return {
    digest: async (data) => createHash("sha256").update(data).digest(),
    hmac: () => Promise.reject(new Error("the simulated world signs nothing")),
    timingSafeEqual: (a, b) => a.length === b.length && a.every((byte, index) => byte === b[index]),
    randomBytes: (length) => Uint8Array.from({ length }, () => random.below(256)),
  };
}

class SimLogger implements Logger {
  readonly #process: SimProcess;
  readonly #prefix: string;

  constructor(process: SimProcess, prefix: string) {
    this.#process = process;
    this.#prefix = prefix;
  }

  debug(): void {}

  info(message: string, fields?: LogFields): void {
    this.#say("info", message, fields);
  }

  warn(message: string, fields?: LogFields): void {
    this.#say("warn", message, fields);
  }

  error(message: string, fields?: LogFields): void {
    this.#say("error", message, fields);
  }

  child(fields: LogFields): Logger {
    return new SimLogger(this.#process, `${this.#prefix}${String(fields["actor"] ?? "")} `);
  }

  #say(level: string, message: string, fields: LogFields | undefined): void {
    const cause = fields?.["cause"];
    const detail = cause instanceof Error ? `${cause.name}: ${cause.message}` : "";
    this.#process.world.trace.say(this.#process.name, `${level}: ${this.#prefix}${message}`, detail);
  }
}
