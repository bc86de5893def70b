/**
 * EventClock: timestamps that never go back and are never equal.
 *
 * The wall clock is read once and then carried on by the monotonic one, for the wall clock may jump; when the two have
 * come apart by more than a second (a laptop that slept, a clock that was set) the wall clock is believed again. Whatever
 * happens, the next timestamp is at least a microsecond after the last, so that an end is always after its start.
 */
import type { Clock } from "@troupe/base";

/** How far the clocks may come apart. Milliseconds. */
const TOLERATED_MS = 1_000;

/** The timestamps of one relay, microseconds since 1970. */
export class EventClock {
  readonly #clock: Clock;
  /** The wall clock's time at the monotonic clock's zero, milliseconds. */
  #zero: number;
  #last = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#zero = clock.now() - clock.monotonic();
  }

  /** `room`: how many microseconds before it are nobody's, for what is told of with it and lies before it. */
  next(room = 0): number {
    const monotonic = this.#clock.monotonic();
    const wall = this.#clock.now();
    if (Math.abs(wall - (this.#zero + monotonic)) > TOLERATED_MS) this.#zero = wall - monotonic;
    this.#last = Math.max(this.#last + room + 1, Math.floor((this.#zero + monotonic) * 1_000));
    return this.#last;
  }
}

/** Writes timestamps. Most fall into the second of the one before: its text is kept. */
export class Rfc3339 {
  #second = Number.NaN;
  #text = "";

  /** RFC 3339 in UTC: `2026-03-01T12:00:00.000001Z`. */
  write(micros: number): string {
    const second = Math.floor(micros / 1_000_000);
    if (second !== this.#second) {
      this.#second = second;
      this.#text = new Date(second * 1_000).toISOString().slice(0, 20);
    }
    return `${this.#text}${String(micros - second * 1_000_000).padStart(6, "0")}Z`;
  }
}
