/**
 * Permissions: who decides when an agent asks before it does something.
 *
 * It fails closed: a policy that throws, takes too long or names an option that isn't there refuses.
 */
import type { RequestPermissionRequest, RequestPermissionResponse } from "@agentclientprotocol/sdk";
import { limits } from "@troupe/protocol";

/** An agent's question, as ACP has it: the tool call that it is about, and the options. */
export type PermissionRequest = RequestPermissionRequest;

/** What a policy may answer. */
export type PermissionDecision = "allow" | "reject";

/** Decides on one question; it has 120 s. */
export type PermissionJudge = (
  request: PermissionRequest,
) => PermissionDecision | Promise<PermissionDecision>;

/** The policies that have a name, from the narrowest to the widest. */
export const permissionPolicies = ["reject_all", "ask", "allow_all"] as const;

/** A policy with a name. */
export type NamedPolicy = (typeof permissionPolicies)[number];

/** A fixed answer, the session's listeners, or a function that is asked each time. */
export type PermissionPolicy = NamedPolicy | PermissionJudge;

/** The narrower of two: what a session wants of the actor's policy. A function is never overruled but by a refusal. */
export function narrower(policy: PermissionPolicy, wanted: NamedPolicy | undefined): PermissionPolicy {
  if (wanted === undefined || widthOf(policy) < widthOf(wanted)) return policy;
  return wanted;
}

/** Of a function nobody knows how wide it is: only a refusal is surely within it. */
function widthOf(policy: PermissionPolicy): number {
  return typeof policy === "function" ? 0 : permissionPolicies.indexOf(policy);
}

/** Asks those who follow the session. Never rejects. */
export type AskListeners = (request: PermissionRequest) => Promise<RequestPermissionResponse>;

/** The answer to an agent's question. Never rejects. */
export async function decide(
  policy: PermissionPolicy,
  request: PermissionRequest,
  ask: AskListeners,
): Promise<RequestPermissionResponse> {
  if (policy === "ask") return await ask(request);
  const allowed = await isAllowed(policy, request);
  const kinds = allowed ? ["allow_once", "allow_always"] : ["reject_once", "reject_always"];
  for (const kind of kinds) {
    const option = request.options.find((found) => found.kind === kind);
    if (option !== undefined) return { outcome: { outcome: "selected", optionId: option.optionId } };
  }
  return { outcome: { outcome: "cancelled" } };
}

async function isAllowed(
  policy: Exclude<PermissionPolicy, "ask">,
  request: PermissionRequest,
): Promise<boolean> {
  if (typeof policy === "string") return policy === "allow_all";
  const late = Promise.withResolvers<"reject">();
  const timer = setTimeout(() => late.resolve("reject"), limits.agentPermissionMs);
  try {
    return (await Promise.race([policy(request), late.promise])) === "allow";
  } catch {
    return false;
  } finally {
    clearTimeout(timer);
  }
}
