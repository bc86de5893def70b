/**
 * What callers don't get to see of an error, and doesn't cross the line either (its stack), is in the log of where it was
 * thrown. The other end finds it there by the id that it tells the caller.
 *
 * An actor that can't start is asked for again and again: what fails as it did a moment ago is the line that is there already, with its
 * id, once a minute, as in the log of the other end.
 */
import { type Env, type LogFields, TroupeError } from "@troupe/base";
import { AGAIN_MS } from "../seldom.ts";

/**
 * Told of an error before it leaves, and whose it is; gives the id that it is logged under, if it is. `starting`: it kept its actor from
 * starting.
 */
export type FailureLog = (cause: unknown, about?: LogFields, starting?: "starting") => string | undefined;

/** Actors of which a line is kept in mind; past it all are forgotten, and each has one more. */
const KEPT = 256;

interface Line {
  readonly id: string;
  /** Monotonic. */
  readonly at: number;
}

/** Logs an error that callers don't get to see; gives the id that it is logged under, undefined for any other. Never throws. */
export function failureLog({ clock, ids, log }: Pick<Env, "clock" | "ids" | "log">): FailureLog {
  const starts = new Map<string, Line>();
  return (cause, about, starting) => {
    if (isForCallers(cause)) return undefined;
    const at = clock.monotonic();
    const subject = starting && subjectOf(cause, about);
    const last = starts.get(subject ?? "");
    if (last && at - last.at < AGAIN_MS) return last.id;
    const id = ids.random();
    const message = starting ? "an actor failed to start" : "a call failed";
    try {
      log.error(message, { ...about, id, cause });
    } catch {
      log.error(message, { ...about, id, cause: "what was thrown can't be read" });
    }
    if (starts.size >= KEPT) starts.clear();
    if (subject) starts.set(subject, { id, at });
    return id;
  };
}

/** Not by the actor's id: one that couldn't be made has another at each try. */
function subjectOf(cause: unknown, about: LogFields = {}): string {
  try {
    return JSON.stringify([about["actor"], about["key"], String(cause)]);
  } catch {
    // It can't be read: a line each time.
    return "";
  }
}

function isForCallers(cause: unknown): boolean {
  try {
    return TroupeError.is(cause) && cause.public;
  } catch {
    // It only looks like one of ours.
    return false;
  }
}
