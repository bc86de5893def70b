/**
 * AlarmClock: wakes sleeping actors whose schedule is due.
 *
 * Storage knows every actor's alarm; one timer of the host is set to the earliest. The timer may ring too early (an
 * alarm was removed meanwhile), never too late: whoever sets an earlier alarm tells the clock. Actors that are awake
 * watch their own schedules.
 */
import type { Env, TimerHandle } from "@troupe/base";
import { limits } from "@troupe/protocol";
import type { ActorStorage } from "../ports/storage.ts";

/** A timer sleeps at most this long, so that a wall clock that was set is noticed. */
const LONGEST_TIMER_MS = 60_000;
/** After storage failed to answer. */
const RETRY_MS = 1_000;

/** The alarms of a host. */
export class AlarmClock {
  readonly #env: Pick<Env, "clock" | "timers" | "log">;
  readonly #storage: Pick<ActorStorage, "nextAlarm" | "dueAlarms">;
  /** Wakes an actor; an awake one needs nothing. Must not reject. */
  readonly #wake: (actorId: string) => Promise<void>;
  #timer: TimerHandle | undefined;
  #timerAt = Infinity;
  #closed = false;

  constructor(options: {
    env: Pick<Env, "clock" | "timers" | "log">;
    storage: Pick<ActorStorage, "nextAlarm" | "dueAlarms">;
    wake: (actorId: string) => Promise<void>;
  }) {
    this.#env = options.env;
    this.#storage = options.storage;
    this.#wake = options.wake;
  }

  /** Looks for the earliest alarm and waits for it. */
  async start(): Promise<void> {
    const next = await this.#storage.nextAlarm();
    if (next !== undefined) this.set(next.at);
  }

  /** Rings at `at` (wall clock, ms), or earlier. */
  set(at: number): void {
    if (this.#closed || at >= this.#timerAt) return;
    if (this.#timer !== undefined) this.#env.timers.clear(this.#timer);
    this.#timerAt = at;
    const delayMs = Math.min(Math.max(0, at - this.#env.clock.now()), LONGEST_TIMER_MS);
    this.#timer = this.#env.timers.set(() => void this.#ring(), delayMs, { background: true });
  }

  close(): void {
    this.#closed = true;
    if (this.#timer !== undefined) this.#env.timers.clear(this.#timer);
  }

  async #ring(): Promise<void> {
    this.#timer = undefined;
    this.#timerAt = Infinity;
    try {
      const now = this.#env.clock.now();
      const due = await this.#storage.dueAlarms(now, limits.alarmsPerRound);
      await Promise.all(due.map((alarm) => this.#wake(alarm.actorId)));
      const next = await this.#storage.nextAlarm();
      // An alarm that is still due belongs to an actor that runs, or failed to: not looked at again at once.
      if (next !== undefined)
        this.set(Math.max(next.at, due.length < limits.alarmsPerRound ? now + RETRY_MS : now));
    } catch (cause) {
      this.#env.log.error("looking for due alarms failed", { cause });
      this.set(this.#env.clock.now() + RETRY_MS);
    }
  }
}
