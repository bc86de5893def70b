import type { TimerHandle, Timers } from "@troupe/base";

/** What a heartbeat does to its link. */
export interface HeartbeatLink {
  ping(): void;
  /** The other end is silent for too long. */
  dead(): void;
}

/**
 * Finds out that a link is dead, and shows the other end that it isn't.
 *
 * Once a period a ping is sent, whatever else is: a gateway closes a link that was silent for two periods, and counting
 * from the last message would come to just that. Two periods in which nothing came mean that the other end is gone.
 * Periods are counted by their ticks, not by the clock: when a laptop or a tab wakes up, one late tick proves nothing,
 * for the messages that came meanwhile may wait behind it.
 */
export class Heartbeat {
  readonly #timers: Timers;
  readonly #periodMs: number;
  readonly #link: HeartbeatLink;
  #timer: TimerHandle | undefined;
  #heard = false;
  #silentPeriods = 0;

  constructor(timers: Timers, periodMs: number, link: HeartbeatLink) {
    this.#timers = timers;
    this.#periodMs = periodMs;
    this.#link = link;
  }

  start(): void {
    this.#timer = this.#timers.set(() => this.#tick(), this.#periodMs, { background: true });
  }

  /** Something came. */
  heard(): void {
    this.#heard = true;
  }

  stop(): void {
    if (this.#timer !== undefined) this.#timers.clear(this.#timer);
    this.#timer = undefined;
  }

  #tick(): void {
    this.#silentPeriods = this.#heard ? 0 : this.#silentPeriods + 1;
    this.#heard = false;
    if (this.#silentPeriods >= 2) {
      this.#link.dead();
      return;
    }
    this.#link.ping();
    this.start();
  }
}
