/**
 * The times of a recurring job. Pure: what the time is now is always told.
 *
 * A cron expression is read in its time zone. Where a zone's clock leaves a time out or has it twice, a job with one time of the
 * day runs once on that day, and a pattern of times whenever the clock shows one (`cron/cron.ts`). An interval counts from the
 * time when it was set.
 */
import { Cron } from "./cron/cron.ts";
import { scheduleErrors } from "./errors.ts";

/** When a job runs. */
export type Recurrence =
  | { readonly kind: "cron"; readonly expression: string; readonly timezone: string }
  /** Milliseconds. */
  | { readonly kind: "every"; readonly interval: number };

/** The last time that a date can tell: never. */
export const NEVER = 8_640_000_000_000_000;

/** Five fields, or six with seconds in front, or a name like `@daily`. Others that the parser knows aren't times that recur. */
const EXPRESSION = /^(@[a-z]+|\S+(\s+\S+){4,5})$/i;

const SECOND_MS = 1_000;

/** The longest interval: 100 years. */
const LONGEST_INTERVAL_MS = 100 * 366 * 86_400_000;

/** The times of one job. */
export class Times {
  readonly recurrence: Recurrence;
  readonly #cron: Cron | undefined;

  /** Throws `schedule.invalid_expression`, `schedule.invalid_interval`. */
  constructor(recurrence: Recurrence) {
    this.recurrence = recurrence;
    if (recurrence.kind === "cron") this.#cron = parse(recurrence.expression, recurrence.timezone);
    else checkInterval(recurrence.interval);
  }

  /** The first time of a job that is set at `now`, or behind its last time `now`. */
  after(now: number): number {
    if (this.recurrence.kind === "every") return Math.min(now + this.recurrence.interval, NEVER);
    return this.#cron?.next(now) ?? NEVER;
  }

  /** The last `most` times of those from `next`, which is one, to `now`; and the one that comes behind `now`. */
  due(next: number, now: number, most: number): { readonly times: number[]; readonly next: number } {
    if (this.recurrence.kind === "every") {
      const { interval } = this.recurrence;
      const count = Math.floor((now - next) / interval) + 1;
      const first = Math.max(0, count - most);
      const times = Array.from({ length: count - first }, (_, index) => next + (first + index) * interval);
      return { times, next: Math.min(next + count * interval, NEVER) };
    }
    const following = this.after(now);
    if (this.after(next) > now) return { times: [next], next: following };
    const times: number[] = [];
    let before: number | undefined = now + 1;
    while (times.length < most && before !== undefined) {
      before = this.#last(next, before);
      if (before !== undefined) times.push(before);
    }
    return { times: times.reverse(), next: following };
  }

  /** The last time from `first` on and before `end`: looked for in a while that is doubled until it has one, and halved then. */
  #last(first: number, end: number): number | undefined {
    let from = end - 1;
    for (let whileMs = SECOND_MS; this.after(from) >= end; whileMs *= 2) {
      // Times are behind an instant: `first` may be one itself.
      if (from < first) return undefined;
      from = Math.max(first - 1, end - 1 - whileMs);
    }
    let found = this.after(from);
    // Nothing is behind `to`, and two times are a second apart.
    for (let to = end - 1; to - found >= SECOND_MS; ) {
      const middle = Math.floor((found + to) / 2);
      const later = this.after(middle);
      if (later < end) found = later;
      else to = middle;
    }
    return found;
  }
}

function parse(expression: string, timezone: string): Cron {
  if (typeof expression !== "string" || !EXPRESSION.test(expression.trim())) {
    throw scheduleErrors.invalidExpression(String(expression), "five fields, six with seconds, or @daily");
  }
  try {
    const cron = new Cron(expression.trim(), timezone);
    // A day that there never is is found by asking.
    if (cron.next(0) === undefined) throw new RangeError("there is no such time");
    return cron;
  } catch (cause) {
    throw scheduleErrors.invalidExpression(expression, cause instanceof Error ? cause.message : "", timezone);
  }
}

function checkInterval(interval: number): void {
  if (!Number.isInteger(interval) || interval < 1 || interval > LONGEST_INTERVAL_MS) {
    throw scheduleErrors.invalidInterval(interval);
  }
}
