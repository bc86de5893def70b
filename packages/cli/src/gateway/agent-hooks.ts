/**
 * Agent hooks: what agents say and ask at `/hooks/<agent>`, in their own words, so that nothing but an address stands in their
 * settings.
 *
 * One event of each asks before a tool runs. It is answered with a no, or with nothing: what the agent's own rules and its
 * user say about the tool still counts, since "allow" would pass over them. Whatever goes wrong here is a no as well, in words
 * that the agent understands: to most of them a failed hook is none. Every other event is a mark in the trace.
 */
import type { IncomingMessage } from "node:http";
import { limits } from "@troupe/protocol";
import { readable, sessionMetadata } from "@troupe/relay/model-proxy";
import { requestErrors } from "../errors.ts";
import { decide, type HookRoute, questionOf, readHook, type ToolDecision } from "./tool-hook.ts";

/** An agent that has hooks. */
export interface HookedAgent {
  readonly name: string;
  /** The event that asks before a tool runs. */
  readonly asks: string;
  /** How it is told no. */
  readonly no: (reason: string) => unknown;
}

const agents: readonly HookedAgent[] = [
  {
    name: "claude",
    asks: "PreToolUse",
    no: (reason) => ({
      hookSpecificOutput: {
        hookEventName: "PreToolUse",
        permissionDecision: "deny",
        permissionDecisionReason: reason,
      },
    }),
  },
  { name: "gemini", asks: "BeforeTool", no: (reason) => ({ decision: "deny", reason }) },
];

/** Whose hooks come to `path`; undefined: nobody's. */
export function hookedAgent(path: string): HookedAgent | undefined {
  return agents.find(({ name }) => path === `/hooks/${name}`);
}

/** The answer to one event, for the agent to read. Never throws: a refusal is an answer. */
export async function answerHook(
  route: HookRoute,
  agent: HookedAgent,
  request: IncomingMessage,
): Promise<unknown> {
  try {
    const event = eventOf(await readHook(request));
    const { hook_event_name: name, session_id: session, tool_name: tool, tool_input: input = {} } = event;
    if (name === agent.asks) return said(agent, await decide(route, questionOf(tool, input, session)));
    tell(route, questionOf(name, undefined, session).name, event);
    return {};
  } catch (error) {
    return agent.no(readable(error).message);
  }
}

function said(agent: HookedAgent, { decision, reason }: ToolDecision): unknown {
  return decision === "allow" ? {} : agent.no(reason ?? "refused");
}

/** What was said and what a tool gave back is in the model calls: an event's own payload isn't written a second time. */
function tell(
  { relay, session }: HookRoute,
  name: string,
  { session_id: theirs, tool_name: tool }: HookEvent,
): void {
  relay.event(`hook.${name}`, {
    data: { event: name, ...(short(tool) ? { tool } : {}) },
    metadata: sessionMetadata(session, short(theirs) ? theirs : undefined),
  });
}

interface HookEvent {
  readonly hook_event_name?: unknown;
  readonly session_id?: unknown;
  readonly tool_name?: unknown;
  readonly tool_input?: unknown;
}

function eventOf(content: unknown): HookEvent {
  if (typeof content !== "object" || content === null || !("hook_event_name" in content))
    throw requestErrors.badRequest('a JSON object with "hook_event_name" is needed');
  return content;
}

function short(value: unknown): value is string {
  return typeof value === "string" && value.length <= limits.memberNameLength;
}
