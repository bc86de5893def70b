/**
 * Conditional guardrails: whether a call happens at all.
 *
 * Each runs in a scope of its own, so that a trace shows who was asked and what it said. The first no ends the call: a
 * mark tells of it and the caller gets `relay.guardrail_rejected`. One that fails is a no as well, with a mark too, but another error.
 */
import { relayErrors } from "../errors.ts";
import { errorMetadata } from "../events/metadata.ts";
import { attempt } from "../given.ts";
import { invoke, type MaybePromise } from "../middleware/invoke.ts";
import type { Entry } from "../middleware/level.ts";
import type { MiddlewareShapes, Verdict } from "../middleware/payloads.ts";
import { textWithoutSecrets } from "../redaction/secrets.ts";
import type { Scope } from "../scope/scope.ts";
import type { Call, CallParts } from "./call-parts.ts";
import { saysTheSame, snapshot } from "./snapshot.ts";
import { isUnshown } from "./unshown.ts";

type ConditionalKind =
  | "tool_conditional_execution_guardrail"
  | "llm_conditional_execution_guardrail"
  | "action_conditional_execution_guardrail";

/** Throws, or rejects, unless all of `entries` let the call happen. At once where all of them answer at once. */
export function askGuardrails<K extends ConditionalKind>(
  call: Call,
  entries: readonly Entry<K>[],
  payload: MiddlewareShapes[K]["payload"],
): MaybePromise<void> {
  for (const [n, entry] of entries.entries()) {
    const reason = ask(call, entry, payload);
    if (reason instanceof Promise) {
      return reason.then((known) => {
        refuseFor(call, entry, known);
        return askGuardrails(call, entries.slice(n + 1), payload);
      });
    }
    refuseFor(call, entry, reason);
  }
}

/**
 * What guardrails look at while they take their time is still its owner's, who may change it: then nobody has allowed what
 * would run. Remembers it, and answers what throws `relay.changed_meanwhile` when it says something else.
 */
export function remembered({ name }: Call, subject: unknown): () => void {
  const seen = attempt(() => ({ subject: snapshot(subject) }));
  return () => {
    // What can't be read can't be compared, and no guardrail has read it either.
    const same = seen === undefined || (attempt(() => saysTheSame(subject, seen.subject)) ?? true);
    if (!same) throw relayErrors.changedMeanwhile(name);
  };
}

/** Throws for a reason. */
function refuseFor({ parts, parent, chains, name }: Call, entry: Entry, reason: string | null): void {
  if (reason === null) return;
  const data = { rejected: true, rejection_reason: reason };
  parts.recorder.mark(parent, { name, data, ...categoryOf(entry) }, { chains });
  throw relayErrors.guardrailRejected(entry.name, reason);
}

/** What didn't happen: a call of a model or of a tool. */
function categoryOf({ kind }: Entry): { readonly category?: "llm" | "tool" } {
  if (kind.startsWith("llm_")) return { category: "llm" };
  return kind.startsWith("tool_") ? { category: "tool" } : {};
}

function ask<K extends ConditionalKind>(
  call: Call,
  entry: Entry<K>,
  payload: MiddlewareShapes[K]["payload"],
): MaybePromise<string | null> {
  const { parts, chains, parent, root } = call;
  const { recorder, scopes, env } = parts;
  const scope = scopes.open(entry.name, "guardrail", { parent });
  const kind = entry.kind.replace(/_guardrail$/, "");
  recorder.start(scope, { kind, target_name: call.name }, { chains });
  const answered = (verdict: Verdict): string | null => {
    const reason = reasonOf(entry, verdict);
    const output =
      reason === null
        ? { allowed: true, rejected: false }
        : { allowed: false, rejected: true, rejection_reason: reason };
    if (scopes.isOpen(scope)) recorder.succeeded(scope, { chains, output });
    end(parts, scope);
    return reason;
  };
  const failed = (error: unknown): never => {
    if (scopes.isOpen(scope)) recorder.failed(scope, error, { chains });
    end(parts, scope);
    throw refusal(call, entry, error);
  };
  try {
    const answer = scopes.run(scope, () => invoke(entry, payload, root, env.timers));
    return answer instanceof Promise ? answer.then(answered).catch(failed) : answered(answer);
  } catch (error) {
    return failed(error);
  }
}

function end({ scopes, registry }: CallParts, scope: Scope): void {
  scopes.end(scope);
  registry.end(scope);
}

function reasonOf(entry: Entry, verdict: Verdict): string | null {
  if (verdict === null || verdict === undefined) return null;
  if (typeof verdict === "string") return verdict;
  throw relayErrors.badAnswer(`The guardrail "${entry.name}"`, "null or a reason");
}

/**
 * What the caller gets of a middleware that failed; a mark tells of it, with the reason, and once the log does. What the caller itself gives
 * up with goes through as it is: its own end tells of that.
 */
export function refusal(call: Call, entry: Entry, error: unknown): unknown {
  return failedBy(call, entry, error, { data: { allowed: false, rejected: false } });
}

/** The same for a call that has begun: its end tells that it failed, and the mark why, without saying that it wasn't made. */
export function failedWithin(call: Call, entry: Entry, error: unknown): unknown {
  return failedBy(call, entry, error, {});
}

function failedBy(call: Call, entry: Entry, error: unknown, told: { readonly data?: object }): unknown {
  const { parts, parent, chains, name, root } = call;
  if (root.isOver(error)) return error;
  const failure = relayErrors.middlewareFailed(entry.kind, entry.name, error);
  const { "otel.status_description": reason } = errorMetadata(error);
  const metadata = {
    ...errorMetadata(failure),
    "otel.status_description": textWithoutSecrets(`${failure.message}: ${reason}`),
  };
  parts.recorder.mark(parent, { name, ...told, metadata, ...categoryOf(entry) }, { chains });
  if (!isUnshown(error)) parts.registry.tellFailure(entry, error);
  return failure;
}
