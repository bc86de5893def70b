/**
 * What an error promises about the call that it ended. This is the documented meaning, and the checkers hold the
 * runtime to it: an error that says "no" was given for a call that surely had no effect.
 */
import { TroupeError } from "@troupe/base";
import { vaultDoings } from "../actors/vault.ts";
import type { OpKind, Outcome } from "./history.ts";

/** The call may have run; what it wrote counts. */
const unknown: ReadonlySet<string> = new Set([
  "client.outcome_unknown",
  "client.aborted",
  "actor.action_timed_out",
  "actor.stopped",
  "plugin.lost",
  "plugin.worker_exited",
  "plugin.violation",
  "plugin.closed",
  "host.lost",
]);
/** The call was not let in. */
const refused: ReadonlySet<string> = new Set([
  "actor.not_found",
  "actor.destroyed",
  "actor.start_failed",
  "plugin.open_timed_out",
  "client.disposed",
  // Its file is away.
  "storage.corrupt",
]);

/** What SQL may end with, in a world whose helpers die; of these nothing of the call's transaction is there. */
const undone: ReadonlySet<string> = new Set(["sql.transaction_timed_out", "sql.transaction_ended"]);
const lost: ReadonlySet<string> = new Set(["sql.helper_lost", "sql.helpers_busy", "sql.timed_out"]);

function isVaultDoing(kind: OpKind): boolean {
  const doings: readonly string[] = vaultDoings;
  return doings.includes(kind);
}

/** A statement that was lost with its helper took its batch with it, and that may hold what was written before. */
function sqlFailure(kind: OpKind, code: string): Outcome | undefined {
  // The vault's `once` has a transaction too.
  if (undone.has(code) && (isVaultDoing(kind) || kind === "once"))
    return { tag: "failed", code, applied: kind === "hasty" ? "no" : "maybe" };
  return lost.has(code) ? { tag: "failed", code, applied: "maybe" } : undefined;
}

/** The outcome that an error stands for; `undefined` when no call may end with it. */
export function failureOf(kind: OpKind, error: unknown): Outcome | undefined {
  if (!TroupeError.is(error)) return undefined;
  const code = `${error.group}.${error.code}`;
  if (code === "internal.error") return undefined;
  if (code === "user.as_asked") return { tag: "failed", code, applied: "yes" };
  // An action of several turns, or one that calls another actor, may fail after the first ones.
  const several = kind === "slow" || kind === "transfer" || kind === "flush" || isVaultDoing(kind);
  // One that was sent more than once may have happened before the attempt that failed: its last error is about the last.
  const oneTurn = !several && kind !== "once" && kind !== "job";
  if (error.group === "sql") return sqlFailure(kind, code);
  // A start hook that waits for a helper which is late.
  if (code === "actor.hook_timed_out") return { tag: "failed", code, applied: oneTurn ? "no" : "maybe" };
  if (unknown.has(code)) return { tag: "failed", code, applied: "maybe" };
  // What a turn wrote can't be stored, or it never ends: the batch fails with the reason, and so do calls whose own one is on its way.
  if (error.group === "value" || code === "actor.turn_too_long")
    return { tag: "failed", code, applied: oneTurn && !isUncertain(error) ? "no" : "maybe" };
  if (error.retryable || refused.has(code)) return { tag: "failed", code, applied: oneTurn ? "no" : "maybe" };
  if (code === "actor.idempotency_cut_off" && kind === "once")
    return { tag: "failed", code, applied: "maybe" };
  // Another actor's answer, which the transfer has passed on.
  if (kind === "transfer" && (code === "actor.overloaded" || code === "actor.stopping")) {
    return { tag: "failed", code, applied: "maybe" };
  }
  if (code !== "storage.commit_failed") return undefined;
  const applied = oneTurn && error.metadata?.["applied"] === "no" ? "no" : "maybe";
  return { tag: "failed", code, applied };
}

function isUncertain({ metadata }: TroupeError): boolean {
  return metadata?.["applied"] === "unknown";
}
