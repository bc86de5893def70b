/**
 * The times of a cron expression, in a time zone.
 *
 * A match is looked for on the wall: the next date and hour that the fields have. Where a zone's clocks are changed, a wall time
 * is there twice or never. A job with one time of the day is meant to run once on each: it takes the first of two, and where its
 * time is left out the moment at which that happens. A pattern of times (every ten minutes) runs whenever the clocks show one.
 */
import { type CronFields, parseCron } from "./fields.ts";
import { nextWall } from "./next-wall.ts";
import { WallClock } from "./wall-clock.ts";

const HOUR_MS = 3_600_000;
/** No zone sets its clocks by more. */
const LONGEST_CHANGE_MS = 4 * HOUR_MS;
/** Dates that can be asked about, with a zone's distance from UTC to spare. */
const LAST_DATE = 8_640_000_000_000_000 - 72 * HOUR_MS;

/** An expression in a zone. */
export class Cron {
  readonly #fields: CronFields;
  readonly #clock: WallClock;

  /** Throws a RangeError that says what is wrong. */
  constructor(expression: string, timeZone: string) {
    this.#fields = parseCron(expression);
    this.#clock = new WallClock(timeZone);
  }

  /** The first time behind an instant; undefined when there is none. */
  next(instant: number): number | undefined {
    if (instant > LAST_DATE) return undefined;
    const second = Math.floor(instant / 1_000) * 1_000;
    return this.#fields.fixedTime ? this.#nextOfDay(second) : this.#nextOfPattern(second);
  }

  #nextOfDay(instant: number): number | undefined {
    for (
      let wall = this.#wallAfter(this.#clock.at(instant));
      wall !== undefined;
      wall = this.#wallAfter(wall)
    ) {
      const reading = this.#clock.reading(wall);
      const at = reading.kind === "never" ? reading.until : reading.at;
      // It was there already, and comes again.
      if (at > instant) return at;
    }
    return undefined;
  }

  #nextOfPattern(instant: number): number | undefined {
    const shown = this.#clock.at(instant);
    const change = this.#clock.changeWithin(instant, instant + LONGEST_CHANGE_MS);
    const soon = this.#wallAfter(shown);
    if (change === undefined) return this.#firstShown(soon, instant, instant + LONGEST_CHANGE_MS);
    const at = soon === undefined ? Infinity : instant + (soon - shown);
    if (at < change) return at;
    // From the change on the clocks show other times, some of them again.
    const before = change - 1_000;
    return this.#firstShown(
      this.#wallAfter(this.#clock.at(change) - 1_000),
      before,
      change + LONGEST_CHANGE_MS,
    );
  }

  /** When the clocks show a wall time of the pattern; up to `until` they go on as they do behind `instant`. */
  #firstShown(soon: number | undefined, instant: number, until: number): number | undefined {
    let wall = soon;
    while (wall !== undefined) {
      const at = wall - this.#clock.at(instant + 1_000) + instant + 1_000;
      if (at <= until) return at;
      const reading = this.#clock.reading(wall);
      if (reading.kind !== "never") return reading.at;
      wall = this.#wallAfter(this.#clock.at(reading.until) - 1_000);
    }
    return undefined;
  }

  #wallAfter(wall: number): number | undefined {
    const found = nextWall(this.#fields, wall);
    return found === undefined || found > LAST_DATE ? undefined : found;
  }
}
