/**
 * Agent hooks: what agents say and ask at `/hooks/<agent>`, in their own words, so that nothing but an address stands in their
 * settings.
 *
 * One event of each asks before a tool runs. It is answered with a no, or with nothing: what the agent's own rules and its
 * user say about the tool still counts, since "allow" would pass over them. Whatever goes wrong here is a no as well, in words
 * that the agent understands: to most of them a failed hook is none. Every other event is a mark in the trace.
 *
 * A question is known by its event, whatever the address: who was given the address of another agent would be told yes by an answer
 * that it can't read.
 */
import type { IncomingMessage } from "node:http";
import { limits } from "@troupe/protocol";
import { readable, sessionMetadata } from "@troupe/relay/model-proxy";
import { requestErrors } from "../errors.ts";
import { decide, type HookRoute, heard, questionOf, readHook, type ToolAnswer } from "./tool-hook.ts";

/** The words of an event that asks before a tool runs. */
interface Words {
  readonly no: (reason: string) => unknown;
  /** Go on, with these arguments; without it there is no word for that. */
  readonly rather?: (args: unknown) => unknown;
}

const claudes: Words = {
  no: (reason) => ({
    hookSpecificOutput: {
      hookEventName: "PreToolUse",
      permissionDecision: "deny",
      permissionDecisionReason: reason,
    },
  }),
  // Without a decision: its own rules are asked about these arguments.
  rather: (args) => ({ hookSpecificOutput: { hookEventName: "PreToolUse", updatedInput: args } }),
};
/** Codex has Claude's, but takes other arguments with an "allow" alone, and none in its first versions. */
const codexs: Words = { no: claudes.no };
const geminis: Words = { no: (reason) => ({ decision: "deny", reason }) };

/** An agent that has hooks. */
export interface HookedAgent {
  readonly name: string;
  readonly words: Words;
}

const agents: readonly HookedAgent[] = [
  { name: "claude", words: claudes },
  { name: "codex", words: codexs },
  { name: "gemini", words: geminis },
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
  let { words } = agent;
  try {
    const event = await heard(route, async () => eventOf(await readHook(request)));
    const { hook_event_name: name, session_id: session, tool_name: tool, tool_input: input = {} } = event;
    const asked = wordsFor(agent, event);
    if (asked === undefined) {
      tell(route, questionOf(name, undefined, session).name, event);
      return {};
    }
    words = asked;
    const takesArgs = words.rather !== undefined;
    const question = await heard(route, async () => ({ ...questionOf(tool, input, session), takesArgs }));
    return said(words, await decide(route, question));
  } catch (error) {
    return words.no(readable(error).message);
  }
}

/** Undefined: the event asks nothing. */
function wordsFor(
  { words }: HookedAgent,
  { hook_event_name: name, turn_id: turn }: HookEvent,
): Words | undefined {
  if (name === "BeforeTool") return geminis;
  if (name !== "PreToolUse") return undefined;
  // Codex alone counts turns.
  return words === claudes && turn === undefined ? claudes : codexs;
}

function said({ no, rather }: Words, { decision: { decision, reason }, ...more }: ToolAnswer): unknown {
  if (decision === "deny") return no(reason ?? "refused");
  return "args" in more && rather !== undefined ? rather(more.args) : {};
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
  readonly turn_id?: unknown;
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
