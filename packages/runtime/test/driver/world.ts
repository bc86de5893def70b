/**
 * An Env under a test's control: timers and both clocks stand still until the test moves them, ids count up, and log
 * lines are kept. A timer's task runs in the async context that set it, as with setTimeout. `afterTurn` is a real
 * macrotask, so that turns end where they do in production; the world knows how many are on their way, so that `idle`
 * needs no sleep.
 */
import type { AsyncContext, Env, LogFields, Logger, TimerHandle } from "@troupe/base";
import { nodeEnv } from "../../src/node/env.ts";

interface Timer {
  readonly at: number;
  readonly order: number;
  readonly task: () => void;
}

/** A line of the log. */
export interface Line {
  readonly level: "debug" | "info" | "warn" | "error";
  readonly message: string;
  readonly fields: LogFields;
}

/** Rounds of macrotasks after which a condition that isn't true is taken for one that never will be. */
const MOST_ROUNDS = 20_000;

export class World implements Env {
  readonly lines: Line[] = [];
  readonly crypto = nodeEnv().crypto;
  readonly random = (): number => 0.5;
  readonly log = this.#logger({});
  #now = 1_700_000_000_000;
  #monotonic = 1_000;
  #order = 0;
  #ids = 0;
  #turns = 0;
  #dead = false;
  #held: (() => void)[] | undefined;
  readonly #timers = new Map<number, Timer>();
  /** One for each variable: gives a task the value that the variable has now. */
  readonly #bindings: ((task: () => void) => () => void)[] = [];

  readonly asyncContext: AsyncContext = {
    variable: <T>() => {
      const variable = nodeEnv().asyncContext.variable<T>();
      this.#bindings.push((task) => {
        const value = variable.get();
        return value === undefined ? task : () => variable.run(value, task);
      });
      return variable;
    },
  };

  readonly clock = { now: (): number => this.#now, monotonic: (): number => this.#monotonic };

  readonly ids = {
    random: (): string => this.#id().padStart(32, "0"),
    ordered: (): string => `00000000-0000-7000-8000-${this.#id().padStart(12, "0")}`,
  };

  readonly timers = {
    set: (task: () => void, delayMs: number): TimerHandle => {
      this.#order += 1;
      const bound = this.#bindings.reduce((inner, bind) => bind(inner), task);
      this.#timers.set(this.#order, { at: this.#monotonic + delayMs, order: this.#order, task: bound });
      return this.#order;
    },
    clear: (timer: TimerHandle): void => {
      if (typeof timer === "number") this.#timers.delete(timer);
    },
  };

  readonly afterTurn = (task: () => void): void => {
    if (this.#held !== undefined) {
      this.#held.push(task);
      return;
    }
    this.#turns += 1;
    setImmediate(() => {
      this.#turns -= 1;
      if (!this.#dead) task();
    });
  };

  /** Timers that are set. */
  get pendingTimers(): number {
    return this.#timers.size;
  }

  /** The process is gone: no timer and no task of it ever runs again. */
  kill(): void {
    this.#dead = true;
    this.#timers.clear();
  }

  /** Keeps back what `afterTurn` is given, until `resumeTurns`. */
  holdTurns(): void {
    this.#held = [];
  }

  resumeTurns(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const task of held) this.afterTurn(task);
  }

  /** Settles when nothing is left to do but to wait for time, disk or network. */
  async idle(): Promise<void> {
    do await macrotask();
    while (this.#turns > 0);
  }

  /** Settles when `condition` holds; throws what `describe` says when it never does. */
  async until(condition: () => boolean, describe: () => unknown = () => this.lines): Promise<void> {
    for (let round = 0; round < MOST_ROUNDS; round += 1) {
      if (condition()) return;
      await macrotask();
    }
    throw new Error(`it never came: ${condition}\nstate: ${JSON.stringify(describe(), undefined, 2)}`);
  }

  /** Moves both clocks, running each timer at its moment and all that follows from it before the next. */
  async pass(ms: number): Promise<void> {
    await this.idle();
    const end = this.#monotonic + ms;
    for (let timer = this.#next(end); timer !== undefined; timer = this.#next(end)) {
      this.#timers.delete(timer.order);
      this.#moveTo(timer.at);
      timer.task();
      await this.idle();
    }
    this.#moveTo(end);
    await this.idle();
  }

  /** Time goes by, and no timer rings: the process was busy, or stopped. */
  skip(ms: number): void {
    this.#moveTo(this.#monotonic + ms);
  }

  /** Goes on where another world ended: clocks and ids. */
  startAt(before: World): void {
    this.#now = before.#now;
    this.#monotonic = before.#monotonic;
    this.#ids = before.#ids + 0x1000;
  }

  /** Somebody sets the wall clock; timers don't notice. */
  setWallClock(now: number): void {
    this.#now = now;
  }

  /** The log's lines of a level with a text. */
  logged(level: Line["level"], message: string): Line[] {
    return this.lines.filter((line) => line.level === level && line.message.includes(message));
  }

  #moveTo(monotonic: number): void {
    this.#now += monotonic - this.#monotonic;
    this.#monotonic = monotonic;
  }

  #next(end: number): Timer | undefined {
    let next: Timer | undefined;
    for (const timer of this.#timers.values()) {
      if (timer.at <= end && (next === undefined || timer.at < next.at)) next = timer;
    }
    return next === undefined || next.at >= this.#monotonic ? next : { ...next, at: this.#monotonic };
  }

  #id(): string {
    this.#ids += 1;
    return this.#ids.toString(16);
  }

  #logger(fields: LogFields): Logger {
    const write = (level: Line["level"]) => (message: string, more?: LogFields) =>
      void this.lines.push({ level, message, fields: { ...fields, ...more } });
    return {
      debug: write("debug"),
      info: write("info"),
      warn: write("warn"),
      error: write("error"),
      child: (more) => this.#logger({ ...fields, ...more }),
    };
  }
}

/** Settles in a macrotask, after all microtasks. */
export function macrotask(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}
