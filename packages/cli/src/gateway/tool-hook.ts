/**
 * Tool hook: an agent asks whether it may call a tool.
 *
 * The answer is "allow" only when every middleware in front of the tool was asked and none objected. One that fails, times out or is
 * gone is a "deny", and so is a gateway that ends, since its guardrails go: nothing here ever allows on somebody's behalf. Where an
 * intercept has made other arguments of those that were asked about, the tool may run with the others alone: an agent that can't be
 * told them is told no.
 */
import type { IncomingMessage } from "node:http";
import { isDeepStrictEqual } from "node:util";
import { TroupeError } from "@troupe/base";
import { limits } from "@troupe/protocol";
import { isGuardrailRejected, type Relay } from "@troupe/relay";
import { contentOf, readable, readBody, repeatedKey, sessionMetadata } from "@troupe/relay/model-proxy";
import { requestErrors } from "../errors.ts";
import { QUESTION, type ToolDecision, tellDecision } from "./tool-decision.ts";

/** The answer, for an agent that may be told more. */
export interface ToolAnswer {
  readonly decision: ToolDecision;
  /** The arguments that the tool may run with, where they are others than those that were asked about. */
  readonly args?: unknown;
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
  /** The agent can be told other arguments. Default: it can't. */
  readonly takesArgs?: boolean;
}

/** Asks what is in front of the tool. Throws `gateway.bad_request` for a question that is none. */
export async function decideTool(route: HookRoute, request: IncomingMessage): Promise<ToolDecision> {
  return (await decide(route, await heard(route, async () => readQuestion(await readHook(request)))))
    .decision;
}

/** A question; of one that is none, or can't be read, it is told that no tool runs for it. Throws what `read` does. */
export async function heard<T>({ relay, session }: HookRoute, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    const { message } = readable(error);
    const metadata = sessionMetadata(session, undefined);
    await relay.withScope(QUESTION, "function", () => tellDecision(relay, null, denied(message).decision), {
      metadata,
    });
    throw error;
  }
}

/** The body of a hook. Throws `gateway.body_too_large`, and `gateway.key_repeated`: which of the two the agent runs is its own. */
export async function readHook(request: IncomingMessage): Promise<unknown> {
  const body = await readBody(request, limits.httpBodyBytes);
  const read = await contentOf(body, request.headers["content-encoding"], limits.httpBodyBytes);
  const key = repeatedKey(read.text() ?? "");
  if (key !== undefined) throw requestErrors.keyRepeated(key);
  return read.content;
}

/** Asks the middleware of `relay`, in a scope that says whose question it is. */
export async function decide(route: HookRoute, question: ToolQuestion): Promise<ToolAnswer> {
  const { relay, session } = route;
  return await relay.withScope(
    QUESTION,
    "function",
    async () => {
      const answer = await ask(route, question);
      tellDecision(relay, question.name, {
        ...answer.decision,
        ...("args" in answer ? { rewritten: true } : {}),
      });
      count(relay, question.name, answer.decision);
      return answer;
    },
    { metadata: sessionMetadata(session, question.session) },
  );
}

/** For `/metrics`. */
function count(relay: Relay, tool: string, { decision }: ToolDecision): void {
  const name = "troupe_gateway_tool_decisions";
  const description = "Questions of agents whether a tool may run.";
  const attributes = { tool, decision };
  relay.metric(name, [{ name, description, kind: "counter", valueType: "u64", value: 1, attributes }]);
}

const allowed: ToolAnswer = { decision: { decision: "allow", by: null, reason: null } };

/** The agent runs the tool, not the gateway: nothing here says that it ran. */
async function ask(
  { relay, ending }: HookRoute,
  { name, args, takesArgs = false }: ToolQuestion,
): Promise<ToolAnswer> {
  if (ending.aborted) return denied(requestErrors.stopping().message);
  // An agent that has waited long enough takes silence for nothing to say, and runs the tool.
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), limits.gatewayHookMs);
  try {
    const asked = JSON.stringify(args);
    let by: string | null = null;
    const changed = (who: string): void => {
      by = who;
    };
    const real = await relay.toolCallElsewhere(name, args, { changed, signal: late.signal });
    if (saysTheSame(asked, real)) return allowed;
    return takesArgs && isFields(real) ? { ...allowed, args: real } : denied(UNTOLD, by);
  } catch (error) {
    if (late.signal.aborted) return denied(LATE);
    if (!TroupeError.is(error)) return denied("a middleware failed");
    const { by, reason } = error.metadata ?? {};
    const why = isGuardrailRejected(error) && typeof reason === "string" ? reason : error.message;
    return denied(why, typeof by === "string" ? by : null);
  } finally {
    clearTimeout(timer);
  }
}

const LATE = `what stands in front of the tool had no answer within ${limits.gatewayHookMs / 1_000} seconds, and an agent waits no longer for one`;

const UNTOLD =
  "a middleware changes what it would be called with, and this agent can't be told: it would run as it was asked about";

function denied(reason: string, by: string | null = null): ToolAnswer {
  return { decision: { decision: "deny", by, reason } };
}

/** `asked`: as JSON, since an intercept may have edited what it was given. */
function saysTheSame(asked: string, real: unknown): boolean {
  const told = JSON.stringify(real);
  return asked === told || (told !== undefined && isDeepStrictEqual(JSON.parse(asked), JSON.parse(told)));
}

/** What any agent's tool is called with. */
function isFields(value: unknown): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value);
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
