/**
 * VirtualTime: the part of an `Env` that a test moves.
 *
 * Timers and both clocks stand still until `pass` moves them. Turns are the platform's: `afterTurn` is a real macrotask,
 * so that turns end where they do in production, and the number of those on their way is known, so that `idle` needs no
 * sleep. A timer's task runs in the async context that set it, as with setTimeout.
 *
 * What waits for something else, a real timer, a file, a network, is not seen: `idle` settles without it.
 */
import type { AsyncContext, Clock, Env, TimerHandle, Timers } from "@troupe/base";
import { testErrors } from "./errors.ts";

interface Timer {
  readonly at: number;
  readonly order: number;
  readonly task: () => void;
}

/** Timers that ring in one `pass`: past it somebody sets one anew each time that it rings, without a wait. */
const MOST_TIMERS = 1_000_000;

/** A clock and timers, with the turns of the platform under them. */
export class VirtualTime implements Pick<Env, "clock" | "timers" | "afterTurn" | "asyncContext"> {
  readonly #real: Pick<Env, "afterTurn" | "asyncContext">;
  #now: number;
  #monotonic = 1_000;
  #order = 0;
  #turns = 0;
  #dead = false;
  readonly #timers = new Map<number, Timer>();
  /** One for each variable: gives a task the value that the variable has now. */
  readonly #bindings: ((task: () => void) => () => void)[] = [];

  /** `now` is where the wall clock starts, milliseconds since 1970. */
  constructor(real: Pick<Env, "afterTurn" | "asyncContext">, now: number) {
    this.#real = real;
    this.#now = now;
  }

  readonly asyncContext: AsyncContext = {
    follows: true,
    variable: <T>() => {
      const variable = this.#real.asyncContext.variable<T>();
      this.#bindings.push((task) => {
        const value = variable.get();
        return value === undefined ? task : () => variable.run(value, task);
      });
      return variable;
    },
  };

  readonly clock: Clock = { now: () => Math.floor(this.#now), monotonic: () => this.#monotonic };

  readonly timers: Timers = {
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

  readonly afterTurn = (task: () => void): void => this.turn(task);

  /** Timers that are set. */
  get pendingTimers(): number {
    return this.#timers.size;
  }

  /** Settles when nothing is left to do but to wait for time, disk or network. */
  async idle(): Promise<void> {
    do await this.#macrotask();
    while (this.#turns > 0);
  }

  /** Moves both clocks, running each timer at its moment and all that follows from it before the next. */
  async pass(ms: number, mostTimers = MOST_TIMERS): Promise<void> {
    await this.idle();
    const end = this.#monotonic + ms;
    let rung = 0;
    for (let timer = this.#next(end); timer !== undefined; timer = this.#next(end)) {
      rung += 1;
      if (rung > mostTimers) throw testErrors.endlessTimers(mostTimers);
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

  /** Somebody sets the wall clock; timers don't notice. */
  setWallClock(now: number): void {
    this.#now = now;
  }

  /** Goes on where another one's clocks ended. */
  startAt(before: VirtualTime): void {
    this.#now = before.#now;
    this.#monotonic = before.#monotonic;
  }

  /** The process is gone: no timer and no task of it ever runs again. */
  kill(): void {
    this.#dead = true;
    this.#timers.clear();
  }

  /** Runs a task after the turn that is running now. */
  protected turn(task: () => void): void {
    this.#turns += 1;
    this.#real.afterTurn(() => {
      this.#turns -= 1;
      if (!this.#dead) task();
    });
  }

  #macrotask(): Promise<void> {
    return new Promise((resolve) => this.#real.afterTurn(resolve));
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
}
