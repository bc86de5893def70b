/**
 * PollTrial: whether polling pays, found out by trying.
 *
 * What a wake costs depends on the machine and on what else runs there at this instant, and nothing says so: 5 µs where a
 * neighbour keeps the core awake, 60 where a hypervisor has to wake it; and who polls on the only core that is free keeps the
 * answer from being made. So both ways are measured, the one that is in use all the time, the other for a few waits now and
 * then. Polling is kept only while its median is shorter by what is worth having.
 *
 *   sleeping ── it was tried and is faster ──▶ polling, tried against sleeping every `POLLED_WAITS`
 *      ▲ tried again after FIRST_REST_MS, twice as long each time it is refused, at most LAST_REST_MS
 *      └───────────────────── it isn't any more, or was too slow ──┘
 */

/** Waits of one trial. The first isn't counted: the other side still does what it did before. */
const TRIED_WAITS = 8;
/** Polled waits between two trials of sleeping. */
const POLLED_WAITS = 64;
/** Slept waits between two trials of polling, and the time, which is what counts for who asks often. */
const SLEPT_WAITS = 16;
const FIRST_REST_MS = 20;
const LAST_REST_MS = 10_000;
/** Polling must be faster by so much, and by this part of a wait. */
const GAIN_MS = 0.01;
const GAIN_PART = 1 / 16;
/** Polled waits of a trial that may be far too long before it is given up: it costs its asker no more than that. */
const MISSES = 2;
/** How many times as long as one that was slept. */
const FAR_TOO_LONG = 2;

/** Learns whether one asker's waits are shorter when they are polled. */
export class PollTrial {
  readonly #longestMs: number;
  readonly #slept = new RecentWaits();
  readonly #polled = new RecentWaits();
  /** The way that is in use. */
  #polls = false;
  /** Waits that the other way is tried for. */
  #trying = 0;
  #misses = 0;
  /** Waits until the other way is tried again. */
  #left = SLEPT_WAITS;
  #restMs = FIRST_REST_MS;
  #restedAt = 0;

  /** `longestMs`: a wait isn't polled for longer. */
  constructor(longestMs: number) {
    this.#longestMs = longestMs;
  }

  /** The wait that begins now is polled. */
  get polls(): boolean {
    return this.#trying > 0 ? !this.#polls : this.#polls;
  }

  /** A wait took so long, and is over now. */
  took(waitMs: number, now: number): void {
    const missed = this.polls && waitMs > this.#longestMs;
    if (this.#trying !== TRIED_WAITS) (this.polls ? this.#polled : this.#slept).add(waitMs);
    if (this.#trying > 0) this.#tried(waitMs, missed, now);
    else this.#kept(missed, now);
  }

  #kept(missed: boolean, now: number): void {
    this.#left -= 1;
    if (!missed && (this.#left > 0 || now < this.#restedAt)) return;
    this.#trying = TRIED_WAITS;
    this.#misses = 0;
    (this.#polls ? this.#slept : this.#polled).clear();
  }

  #tried(waitMs: number, missed: boolean, now: number): void {
    this.#trying -= 1;
    const isFarTooLong = !this.#polls && waitMs > this.#slept.median * FAR_TOO_LONG;
    if (missed || isFarTooLong) this.#misses += 1;
    if (this.#misses === MISSES) this.#trying = 0;
    if (this.#trying > 0) return;
    this.#polls = this.#misses < MISSES && this.#pays();
    this.#left = this.#polls ? POLLED_WAITS : SLEPT_WAITS;
    this.#restMs = Math.max(FIRST_REST_MS, Math.min(LAST_REST_MS, this.#restMs * (this.#polls ? 0.5 : 2)));
    this.#restedAt = this.#polls ? now : now + this.#restMs;
  }

  #pays(): boolean {
    const slept = this.#slept.median;
    const polled = this.#polled.median;
    return polled <= this.#longestMs && polled + Math.max(GAIN_MS, slept * GAIN_PART) <= slept;
  }
}

/** The last waits of one way. */
class RecentWaits {
  readonly #waits: number[] = [];

  add(waitMs: number): void {
    if (this.#waits.push(waitMs) > TRIED_WAITS) this.#waits.shift();
  }

  clear(): void {
    this.#waits.length = 0;
  }

  /** The lower one of two. */
  get median(): number {
    const sorted = [...this.#waits].sort((a, b) => a - b);
    return sorted[(sorted.length - 1) >> 1] ?? Number.POSITIVE_INFINITY;
  }
}
