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

/** A fixed answer, or somebody who is asked each time. */
export type PermissionPolicy = "allow_all" | "reject_all" | PermissionJudge;

/** The answer to an agent's question. Never rejects. */
export async function decide(
  policy: PermissionPolicy,
  request: PermissionRequest,
): Promise<RequestPermissionResponse> {
  const allowed = await isAllowed(policy, request);
  const kinds = allowed ? ["allow_once", "allow_always"] : ["reject_once", "reject_always"];
  for (const kind of kinds) {
    const option = request.options.find((found) => found.kind === kind);
    if (option !== undefined) return { outcome: { outcome: "selected", optionId: option.optionId } };
  }
  return { outcome: { outcome: "cancelled" } };
}

async function isAllowed(policy: PermissionPolicy, request: PermissionRequest): Promise<boolean> {
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
