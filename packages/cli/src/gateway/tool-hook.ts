/**
 * Tool hook: an agent asks whether it may call a tool.
 *
 * The answer is "allow" only when every guardrail was asked and none objected. A guardrail that fails, times out or is
 * gone is a "deny", and so is a gateway that ends, since its guardrails go: nothing here ever allows on somebody's behalf.
 */
import type { IncomingMessage } from "node:http";
import { TroupeError } from "@troupe/base";
import { limits } from "@troupe/protocol";
import { isGuardrailRejected, type Relay } from "@troupe/relay";
import { contentOf, readBody, sessionMetadata } from "@troupe/relay/model-proxy";
import { requestErrors } from "../errors.ts";

/** The answer of `POST /hooks/tool`. */
export interface ToolDecision {
  readonly decision: "allow" | "deny";
  /** The guardrail that objected or failed; null where none did. */
  readonly by: string | null;
  readonly reason: string | null;
}

/** What hooks are asked of. */
export interface HookRoute {
  readonly relay: Relay;
  readonly session: string | undefined;
  /** Fires when the gateway is asked to end. */
  readonly ending: AbortSignal;
}

/** May this tool run? */
export interface ToolQuestion {
  readonly name: string;
  readonly args: unknown;
  /** The agent's own word for its session. */
  readonly session: string | undefined;
}

/** Asks the guardrails. Throws `gateway.bad_request` for a question that is none. */
export async function decideTool(route: HookRoute, request: IncomingMessage): Promise<ToolDecision> {
  return await decide(route, readQuestion(await readHook(request)));
}

/** The body of a hook. Throws `gateway.body_too_large`. */
export async function readHook(request: IncomingMessage): Promise<unknown> {
  const body = await readBody(request, limits.httpBodyBytes);
  return (await contentOf(body, request.headers["content-encoding"], limits.httpBodyBytes)).content;
}

/** Asks the guardrails of `relay`, in a scope that says whose question it is. */
export async function decide(route: HookRoute, question: ToolQuestion): Promise<ToolDecision> {
  const { relay, session } = route;
  return await relay.withScope(
    "hooks.tool",
    "function",
    async () => {
      const decision = await ask(route, question);
      relay.event("tool.decision", { data: { tool: question.name, ...decision } });
      return decision;
    },
    { metadata: sessionMetadata(session, question.session) },
  );
}

/** The agent runs the tool, not the gateway: what is called here is the question alone. */
async function ask({ relay, ending }: HookRoute, { name, args }: ToolQuestion): Promise<ToolDecision> {
  if (ending.aborted) return { decision: "deny", by: null, reason: requestErrors.stopping().message };
  try {
    await relay.toolCallExecute(name, args, () => ({ result: null }));
    return { decision: "allow", by: null, reason: null };
  } catch (error) {
    if (!TroupeError.is(error)) return { decision: "deny", by: null, reason: "a middleware failed" };
    const { by, reason } = error.metadata ?? {};
    return {
      decision: "deny",
      by: typeof by === "string" ? by : null,
      reason: isGuardrailRejected(error) && typeof reason === "string" ? reason : error.message,
    };
  }
}

function readQuestion(content: unknown): ToolQuestion {
  if (typeof content !== "object" || content === null || !("name" in content))
    throw requestErrors.badRequest('a JSON object { "name", "args", "session"? } is needed');
  const session = "session" in content ? content.session : undefined;
  return questionOf(content.name, "args" in content ? content.args : {}, session);
}

/** Throws `gateway.bad_request` for names that are none. */
export function questionOf(name: unknown, args: unknown, session: unknown): ToolQuestion {
  if (typeof name !== "string" || name === "" || name.length > limits.memberNameLength)
    throw requestErrors.badRequest(`name must be a text of 1 to ${limits.memberNameLength} characters`);
  if (session !== undefined && (typeof session !== "string" || session.length > limits.memberNameLength))
    throw requestErrors.badRequest(`session must be a text of at most ${limits.memberNameLength} characters`);
  return { name, args, session };
}
