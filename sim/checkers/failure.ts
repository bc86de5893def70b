/**
 * What an error promises about the call that it ended. This is the documented meaning, and the checkers hold the
 * runtime to it: an error that says "no" was given for a call that surely had no effect.
 */
import { TroupeError } from "@troupe/base";
import type { OpKind, Outcome } from "./history.ts";

/** Errors by which an actor says that the action ran: what it wrote counts. */
const ran: ReadonlySet<string> = new Set(["user.as_asked", "actor.action_timed_out"]);
/** The call was sent, and may have run. */
const unknown: ReadonlySet<string> = new Set(["client.outcome_unknown", "client.aborted"]);

/** The outcome that an error stands for; `undefined` when no call may end with it. */
export function failureOf(kind: OpKind, error: unknown): Outcome | undefined {
  if (!TroupeError.is(error)) return undefined;
  const code = `${error.group}.${error.code}`;
  if (code === "user.as_asked") return { tag: "failed", code, applied: "yes" };
  // An action of several turns, or one that calls another actor, may fail after the first ones.
  const oneTurn = kind !== "slow" && kind !== "transfer" && kind !== "flush";
  if (ran.has(code) || unknown.has(code) || !oneTurn) return { tag: "failed", code, applied: "maybe" };
  if (error.retryable) return { tag: "failed", code, applied: "no" };
  if (code === "storage.commit_failed") {
    return { tag: "failed", code, applied: error.metadata?.["applied"] === "no" ? "no" : "maybe" };
  }
  if (code === "actor.stopped" || code === "actor.start_failed") return { tag: "failed", code, applied: "maybe" };
  if (code === "actor.not_found" || code === "client.disposed") return { tag: "failed", code, applied: "no" };
  return undefined;
}
