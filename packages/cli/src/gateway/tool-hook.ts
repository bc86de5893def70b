/**
 * Tool hook: an agent asks whether it may call a tool.
 *
 * The answer is "allow" only when every guardrail was asked and none objected. A guardrail that fails, times out or is
 * gone is a "deny": nothing here ever allows on somebody's behalf.
 */
import type { IncomingMessage } from "node:http";
import { TroupeError } from "@troupe/base";
import { limits } from "@troupe/protocol";
import { isGuardrailRejected, type Relay } from "@troupe/relay";
import { requestErrors } from "../errors.ts";
import { contentOf, readBody } from "./body.ts";

/** The answer of `POST /hooks/tool`. */
export interface ToolDecision {
  readonly decision: "allow" | "deny";
  /** The guardrail that objected or failed; null where none did. */
  readonly by: string | null;
  readonly reason: string | null;
}

interface ToolQuestion {
  readonly name: string;
  readonly args: unknown;
  readonly session: string | undefined;
}

/** Asks the guardrails. Throws `gateway.bad_request` for a question that is none. */
export async function decideTool(relay: Relay, request: IncomingMessage): Promise<ToolDecision> {
  const body = await readBody(request, limits.httpBodyBytes);
  const question = readQuestion(contentOf(body, request.headers["content-encoding"]));
  const { name, session } = question;
  const metadata = session === undefined ? {} : { metadata: { session_id: session } };
  return await relay.withScope(
    "hooks.tool",
    "function",
    async () => {
      const decision = await ask(relay, question);
      relay.event("tool.decision", { data: { tool: name, ...decision } });
      return decision;
    },
    metadata,
  );
}

/** The agent runs the tool, not the gateway: what is called here is the question alone. */
async function ask(relay: Relay, { name, args }: ToolQuestion): Promise<ToolDecision> {
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
  const { name } = content;
  const session = "session" in content ? content.session : undefined;
  if (typeof name !== "string" || name === "" || name.length > limits.memberNameLength)
    throw requestErrors.badRequest(`name must be a text of 1 to ${limits.memberNameLength} characters`);
  if (session !== undefined && (typeof session !== "string" || session.length > limits.memberNameLength))
    throw requestErrors.badRequest(`session must be a text of at most ${limits.memberNameLength} characters`);
  return { name, args: "args" in content ? content.args : {}, session };
}
