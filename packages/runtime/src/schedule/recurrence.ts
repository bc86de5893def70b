/**
 * The times of a recurring job. Pure: what the time is now is always told.
 *
 * A cron expression is read in its time zone. A time that a zone's clock leaves out is taken when the clock has passed
 * it, and of a time that comes twice the first one is taken, unless the job runs every hour or more often. An interval
 * counts from the time when it was set.
 */
import { Cron } from "croner";
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
    return this.#cron?.nextRun(new Date(now))?.getTime() ?? NEVER;
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
    // Mostly one is due; to look back costs many times what looking ahead does.
    const following = this.after(now);
    if (this.after(next) > now) return { times: [next], next: following };
    // The parser's seconds are whole: it is asked from the next one on, and for one more.
    const before = this.#cron?.previousRuns(most + 1, new Date(now + 1_000)) ?? [];
    const times = before
      .map((date) => date.getTime())
      .filter((time) => time >= next && time <= now)
      .sort((a, b) => a - b)
      .slice(-most);
    return { times: times.length === 0 ? [next] : times, next: following };
  }
}

function parse(expression: string, timezone: string): Cron {
  if (typeof expression !== "string" || !EXPRESSION.test(expression.trim())) {
    throw scheduleErrors.invalidExpression(String(expression), "five fields, six with seconds, or @daily");
  }
  try {
    const cron = new Cron(expression.trim(), { timezone, paused: true });
    // An unknown zone, and a day that there never is, are found by asking.
    if (cron.nextRun(new Date(0)) === null) throw new RangeError("there is no such time");
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
