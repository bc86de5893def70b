/**
 * LoopLag: how late the event loop comes to what is due, looked at a few times a second. For `/metrics`: code that holds the processor
 * holds every actor of the process, and is seen here before calls are late. A look says what somebody who came at that moment had to wait.
 */
import type { Env, TimerHandle } from "@troupe/base";
import { Histogram } from "../histogram.ts";

/** Between two looks. */
const EVERY_MS = 250;
/** Bounds, seconds: from the grain of timers to a process that hangs. */
const BOUNDS = [0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];

/** Looks until it is closed; it doesn't keep the process alive. */
export class LoopLag {
  readonly times = new Histogram(BOUNDS);
  readonly #env: Pick<Env, "clock" | "timers">;
  #timer: TimerHandle | undefined;

  constructor(env: Pick<Env, "clock" | "timers">) {
    this.#env = env;
    this.#wait();
  }

  close(): void {
    if (this.#timer !== undefined) this.#env.timers.clear(this.#timer);
  }

  #wait(): void {
    const { clock, timers } = this.#env;
    const due = clock.monotonic() + EVERY_MS;
    const look = (): void => {
      this.times.note(Math.max(0, clock.monotonic() - due) / 1_000);
      this.#wait();
    };
    this.#timer = timers.set(look, EVERY_MS, { background: true });
  }
}
