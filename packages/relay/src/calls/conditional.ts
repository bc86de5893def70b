/**
 * Conditional guardrails: whether a call happens at all.
 *
 * Each runs in a scope of its own, so that a trace shows who was asked and what it said. The first no ends the call: a
 * mark tells of it and the caller gets `relay.guardrail_rejected`. One that fails is a no as well, but another error.
 */
import { relayErrors } from "../errors.ts";
import { okMetadata } from "../events/metadata.ts";
import { invoke } from "../middleware/invoke.ts";
import type { Entry } from "../middleware/level.ts";
import type { MiddlewareShapes, Verdict } from "../middleware/payloads.ts";
import type { Call } from "./call-parts.ts";

type ConditionalKind =
  | "tool_conditional_execution_guardrail"
  | "llm_conditional_execution_guardrail"
  | "action_conditional_execution_guardrail";

/** Throws unless all of `entries` let the call happen. */
export async function askGuardrails<K extends ConditionalKind>(
  call: Call,
  entries: readonly Entry<K>[],
  payload: MiddlewareShapes[K]["payload"],
): Promise<void> {
  for (const entry of entries) {
    const reason = await ask(call, entry, payload);
    if (reason === null) continue;
    const { parts, parent, chains, name } = call;
    const data = { rejected: true, rejection_reason: reason };
    parts.recorder.mark(parent, { name, data }, { chains });
    throw relayErrors.guardrailRejected(entry.name, reason);
  }
}

async function ask<K extends ConditionalKind>(
  call: Call,
  entry: Entry<K>,
  payload: MiddlewareShapes[K]["payload"],
): Promise<string | null> {
  const { parts, chains, parent, root } = call;
  const { recorder, scopes, env } = parts;
  const scope = scopes.open(entry.name, "guardrail", { parent });
  const kind = entry.kind.replace(/_guardrail$/, "");
  recorder.start(scope, { kind, target_name: call.name }, { chains });
  try {
    const answer = scopes.run(scope, () => invoke(entry, payload, root, env.timers));
    const verdict = answer instanceof Promise ? await answer : answer;
    const reason = reasonOf(entry, verdict);
    const output =
      reason === null
        ? { allowed: true, rejected: false }
        : { allowed: false, rejected: true, rejection_reason: reason };
    if (scopes.isOpen(scope)) recorder.end(scope, { chains, output, metadata: okMetadata });
    return reason;
  } catch (error) {
    if (scopes.isOpen(scope)) recorder.failed(scope, error, { chains });
    throw refusal(call, entry, error);
  } finally {
    scopes.end(scope);
    parts.registry.end(scope);
  }
}

function reasonOf(entry: Entry, verdict: Verdict): string | null {
  if (verdict === null || verdict === undefined) return null;
  if (typeof verdict === "string") return verdict;
  throw relayErrors.badAnswer(`The guardrail "${entry.name}"`, "null or a reason");
}

/** What the caller gives up with goes through as it is; all else is the guardrail's failure. */
export function refusal(call: Call, entry: Entry, error: unknown): unknown {
  return call.root.isOver(error) ? error : relayErrors.middlewareFailed(entry.kind, entry.name, error);
}
