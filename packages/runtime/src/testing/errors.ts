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

function inWords({ what, actor, stack }: Leak): string {
  return [`- ${what} of ${actor}, made`, ...stack.map((line) => `    ${line}`)].join("\n");
}
