/** HostDrain: the way of all of a host's actors to other hosts. */
import type { Env, TimerHandle } from "@troupe/base";
import { type Leaving, tellToLeave } from "./leaving.ts";

/** What a drain needs of its session. */
export interface HostDrainParts {
  readonly env: Pick<Env, "afterTurn" | "timers">;
  readonly withinMs: number;
  /** Those that run, by number. */
  readonly instances: Leaving;
  /** None is left. */
  readonly empty: () => void;
  /** Some are left, and their time is over. */
  readonly late: () => void;
}

/** One host's drain. */
export class HostDrain {
  readonly #parts: HostDrainParts;
  readonly #done = Promise.withResolvers<void>();
  readonly #timer: TimerHandle;
  /** All have been told. */
  #told = false;

  constructor(parts: HostDrainParts) {
    this.#parts = parts;
    this.#timer = parts.env.timers.set(parts.late, parts.withinMs, { background: true });
    tellToLeave(parts.env, parts.instances, [...parts.instances.keys()], () => {
      this.#told = true;
      this.look();
    });
  }

  /** Settles when nothing runs on the host any more. */
  get done(): Promise<void> {
    return this.#done.promise;
  }

  /** An instance has gone, or the host is there again. */
  look(): void {
    if (!this.#told || this.#parts.instances.size > 0) return;
    this.over();
    this.#parts.empty();
  }

  /** The session has ended. */
  over(): void {
    this.#parts.env.timers.clear(this.#timer);
    this.#done.resolve();
  }
}
