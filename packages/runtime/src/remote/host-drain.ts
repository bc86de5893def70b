/**
 * HostDrain: the way of a host's actors to other hosts.
 *
 * Each is told to leave: it sleeps in good order, with what it is doing, and its callers wait for its next activation,
 * which is placed on another host. They go in waves, so that thousands that leave don't hold up everybody else's calls.
 */
import type { Env, TimerHandle } from "@troupe/base";

/** Instances that are told to leave in one turn. */
const WAVE = 64;

/** What a drain needs of its session. */
export interface HostDrainParts {
  readonly env: Pick<Env, "afterTurn" | "timers">;
  readonly withinMs: number;
  /** Those that run, by number. */
  readonly instances: ReadonlyMap<number, { readonly leave: () => void }>;
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
    this.#tell([...parts.instances.keys()]);
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

  #tell(numbers: readonly number[]): void {
    this.#parts.env.afterTurn(() => {
      for (const number of numbers.slice(0, WAVE)) this.#parts.instances.get(number)?.leave();
      if (numbers.length > WAVE) return this.#tell(numbers.slice(WAVE));
      this.#told = true;
      this.look();
    });
  }
}
