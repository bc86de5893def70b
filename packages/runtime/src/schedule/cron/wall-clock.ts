/**
 * What a zone's clocks show. A wall time is written as the milliseconds that UTC would have for the same date and hour: so days
 * and months are counted without a zone, and only here is it asked what a zone makes of one.
 */

const HOUR_MS = 3_600_000;

/** What becomes of a wall time. */
export type Reading =
  | { readonly kind: "once"; readonly at: number }
  /** The clocks are set back over it. */
  | { readonly kind: "twice"; readonly at: number; readonly again: number }
  /** The clocks leave it out: `until` is when they do. */
  | { readonly kind: "never"; readonly until: number };

/** The clocks of one time zone. */
export class WallClock {
  readonly #format: Intl.DateTimeFormat;

  /** Throws a RangeError for a zone that isn't known. */
  constructor(timeZone: string) {
    this.#format = new Intl.DateTimeFormat("en-US", {
      ...{ timeZone, hourCycle: "h23", calendar: "gregory", numberingSystem: "latn" },
      ...{ year: "numeric", month: "numeric", day: "numeric" },
      ...{ hour: "numeric", minute: "numeric", second: "numeric" },
    });
  }

  /** What they show at an instant, in whole seconds. */
  at(instant: number): number {
    const shown: Record<string, number> = {};
    for (const { type, value } of this.#format.formatToParts(instant)) shown[type] = Number(value);
    const { year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0 } = shown;
    return Date.UTC(year, month - 1, day, hour, minute, second);
  }

  /** When they show a wall time. */
  reading(wall: number): Reading {
    // No zone is further than fifteen hours from UTC, and none changes twice in two days.
    const [before, after] = [this.#offset(wall - 24 * HOUR_MS), this.#offset(wall + 24 * HOUR_MS)];
    const [early, late] = [wall - before, wall - after];
    const [isEarly, isLate] = [this.at(early) === wall, this.at(late) === wall];
    if (isEarly && isLate && early < late) return { kind: "twice", at: early, again: late };
    if (isEarly || isLate) return { kind: "once", at: isEarly ? early : late };
    return { kind: "never", until: this.#change(wall - 24 * HOUR_MS, wall + 24 * HOUR_MS) };
  }

  /** When the clocks are set, between an instant and one a few hours behind it; undefined when they aren't. */
  changeWithin(from: number, to: number): number | undefined {
    return this.#offset(from) === this.#offset(to) ? undefined : this.#change(from, to);
  }

  #offset(instant: number): number {
    return this.at(instant) - Math.floor(instant / 1_000) * 1_000;
  }

  /** The first instant at which the offset isn't what it is at `start`: it is another one at `end`. */
  #change(start: number, end: number): number {
    const before = this.#offset(start);
    let [from, to] = [start, end];
    while (to - from > 1_000) {
      const middle = from + Math.floor((to - from) / 2_000) * 1_000;
      if (this.#offset(middle) === before) from = middle;
      else to = middle;
    }
    return to;
  }
}
