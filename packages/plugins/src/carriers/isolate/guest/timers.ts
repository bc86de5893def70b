/**
 * setTimeout and its family over an isolate's only way out: a record that asks for a timer, and one that says that it
 * has fired.
 */
import type { RecordWriter } from "../records.ts";

type Task = (...args: unknown[]) => unknown;

interface Timer {
  readonly task: Task;
  readonly args: readonly unknown[];
  /** Between two runs; undefined for one run. */
  readonly everyMs: number | undefined;
}

/** The timers of one isolate. */
export class Timers {
  readonly #out: RecordWriter;
  readonly #timers = new Map<number, Timer>();
  #last = 0;

  constructor(out: RecordWriter) {
    this.#out = out;
  }

  readonly setTimeout = (task: Task, delayMs?: number, ...args: unknown[]): number =>
    this.#set({ task, args, everyMs: undefined }, milliseconds(delayMs));

  readonly setInterval = (task: Task, everyMs?: number, ...args: unknown[]): number => {
    const delayMs = milliseconds(everyMs);
    return this.#set({ task, args, everyMs: delayMs }, delayMs);
  };

  readonly clear = (timer?: unknown): void => {
    if (typeof timer === "number" && this.#timers.delete(timer)) this.#out.timerCleared(timer);
  };

  fired(number: number): void {
    const timer = this.#timers.get(number);
    if (timer === undefined) return;
    if (timer.everyMs === undefined) this.#timers.delete(number);
    else this.#out.timerSet(number, timer.everyMs);
    timer.task(...timer.args);
  }

  #set(timer: Timer, delayMs: number): number {
    if (typeof timer.task !== "function") throw new TypeError("A timer's task must be a function");
    this.#last += 1;
    this.#timers.set(this.#last, timer);
    this.#out.timerSet(this.#last, delayMs);
    return this.#last;
  }
}

function milliseconds(value: unknown): number {
  const delayMs = Math.trunc(Number(value));
  return Number.isNaN(delayMs) ? 1 : Math.max(delayMs, 1);
}
