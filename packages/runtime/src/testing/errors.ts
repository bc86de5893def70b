import { TroupeError } from "@troupe/base";

/** Something that an actor has opened and not closed. */
export interface Leak {
  /** What it is, in words: "a timer", "a socket". */
  readonly what: string;
  /** The actor's name and key. */
  readonly actor: string;
  /** Lines of the stack that opened it, the innermost first. */
  readonly stack: readonly string[];
}

/** Group `test`: what `setupTest` has against a test. */
export const testErrors = {
  endlessTimers: (limit: number) =>
    new TroupeError("test", "endless_timers", `More than ${limit} timers rang in one advance of the clock`, {
      metadata: { limit },
    }),
  notATime: (ms: unknown) =>
    new TroupeError(
      "test",
      "not_a_time",
      `advance() takes the milliseconds to go forward, 0 or more, up to the last moment that a Date knows; not ${inspected(ms)}`,
    ),
  unknownActor: (id: unknown) =>
    new TroupeError(
      "test",
      "unknown_actor",
      `No actor has the id ${inspected(id)}: pass what \`await handle.resolve()\` gives; one that was destroyed has none`,
    ),
  unknownCrashPoint: (at: unknown, points: readonly string[]) =>
    new TroupeError(
      "test",
      "unknown_crash_point",
      `crash() knows no point ${inspected(at)}: leave it out to crash now, or pass one of ${points.map((point) => `"${point}"`).join(", ")}`,
      { metadata: { points } },
    ),
  realClock: () =>
    new TroupeError(
      "test",
      "real_clock",
      'This test was set up with { clock: "real" }, which nobody advances',
    ),
  notAsleep: (id: string, report: unknown) =>
    new TroupeError("test", "not_asleep", `Actor ${id} is awake: ${JSON.stringify(report)}`, {
      metadata: { id },
    }),
  leaked: (leaks: readonly Leak[]) =>
    new TroupeError(
      "test",
      "leaked",
      `The test is over, and its actors still hold\n${leaks.map(inWords).join("\n")}`,
      {
        metadata: { leaks: leaks.map(({ what, actor }) => ({ what, actor })) },
      },
    ),
};

/** What was passed, for a sentence. */
function inspected(value: unknown): string {
  return typeof value === "string"
    ? JSON.stringify(value)
    : typeof value === "object"
      ? "an object"
      : String(value);
}

function inWords({ what, actor, stack }: Leak): string {
  return [`- ${what} of ${actor}, made`, ...stack.map((line) => `    ${line}`)].join("\n");
}
