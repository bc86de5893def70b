/**
 * The messages on an agent's stdout: one JSON object in each line.
 *
 * Lines that are none (a program's own chatter) are skipped and counted; past a limit the stream ends with an error, and
 * so it does for a line that is too long. Updates of sessions are taken out here, raw and in their order, before anything
 * behind them is passed on: when a prompt's answer is seen, all its updates were. The SDK promises neither that, nor that
 * it passes on kinds of updates that it doesn't know. What the SDK would only complain of on our stderr, without a limit, is no message
 * either: a broken update, an answer to nothing. Nor is an update with a name of Troupe's own: an agent doesn't say who has allowed what. Notifications of other kinds are for nobody here. An agent that floods is read no faster than its updates are stored. A
 * last line needs no end, if it is a whole message.
 */
import type { Readable } from "node:stream";
import type { AnyMessage, SessionNotification } from "@agentclientprotocol/sdk";
import { limits } from "@troupe/protocol";
import { agentErrors } from "../errors.ts";
import { isOfRuntime } from "../session-entry.ts";

/** Who is told of what, while messages are read. */
export interface MessageListeners {
  onUpdate(notification: SessionNotification): void;
  /** Settles when all updates so far are dealt with. */
  caughtUp(): Promise<void>;
  /** True for the id of a request that waits for its answer; from then on it doesn't. */
  answers(id: unknown): boolean;
  /** A line that is no message. */
  onNoise(line: string): void;
}

const NEWLINE = 10;
/** Characters of a noisy line that are shown. */
const SHOWN = 200;

/** Reads messages; updates go to their listener. Throws `agent.not_acp`, `agent.message_too_long`. */
export async function* messagesOf(
  stdout: Readable,
  listeners: MessageListeners,
  stderr: () => string,
): AsyncGenerator<AnyMessage> {
  let noise = 0;
  let updates = 0;
  for await (const line of linesOf(stdout, stderr)) {
    const message = parse(line);
    if (message === undefined || !isExpected(message, listeners)) {
      const shown = line.slice(0, SHOWN);
      listeners.onNoise(shown);
      noise += 1;
      if (noise > limits.agentNoiseLines) throw agentErrors.notAcp({ line: shown, stderr: stderr() });
    } else if (isUpdate(message)) {
      listeners.onUpdate(message.params);
      updates += 1;
      if (updates % limits.agentUpdatesUnderWay === 0) await listeners.caughtUp();
    } else if (!isForNobody(message)) {
      yield message;
      // Who waits for an answer goes on with it before it hears of what came behind: an update that follows the answer
      // to `session/new` finds its session.
      if (!("method" in message)) await turnEnd();
    }
  }
}

function turnEnd(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}

async function* linesOf(stdout: Readable, stderr: () => string): AsyncGenerator<string> {
  const tooLong = () => agentErrors.messageTooLong({ limit: limits.agentMessageBytes, stderr: stderr() });
  let parts: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stdout as AsyncIterable<Buffer>) {
    let from = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, from)) {
      bytes += end - from;
      if (bytes > limits.agentMessageBytes) throw tooLong();
      const line = Buffer.concat([...parts, chunk.subarray(from, end)]).toString();
      parts = [];
      bytes = 0;
      from = end + 1;
      if (line.trim() !== "") yield line;
    }
    parts.push(chunk.subarray(from));
    bytes += chunk.byteLength - from;
    if (bytes > limits.agentMessageBytes) throw tooLong();
  }
  const last = Buffer.concat(parts).toString();
  if (last.trim() !== "") yield last;
}

function parse(line: string): AnyMessage | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return isMessage(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isExpected(message: AnyMessage, listeners: MessageListeners): boolean {
  if ("method" in message) return message.method !== "session/update" || "id" in message || isUpdate(message);
  return "id" in message && listeners.answers(message.id);
}

/** Notifications whose names begin so are JSON-RPC's own matters, and the SDK's. */
function isForNobody(message: AnyMessage): boolean {
  return "method" in message && !("id" in message) && !message.method.startsWith("$/");
}

function isMessage(value: unknown): value is AnyMessage {
  return typeof value === "object" && value !== null && "jsonrpc" in value && value.jsonrpc === "2.0";
}

function isUpdate(message: AnyMessage): message is AnyMessage & { readonly params: SessionNotification } {
  if (!("method" in message) || message.method !== "session/update" || "id" in message) return false;
  const { params } = message;
  if (typeof params !== "object" || params === null) return false;
  return "sessionId" in params && "update" in params && isKnown(params.update);
}

/** Kinds that aren't known pass; those that are have what is read of them here. */
function isKnown(update: unknown): boolean {
  if (typeof update !== "object" || update === null || !("sessionUpdate" in update)) return false;
  const { sessionUpdate: kind } = update;
  if (typeof kind !== "string" || isOfRuntime(kind)) return false;
  if (kind.endsWith("_message_chunk") || kind === "agent_thought_chunk")
    return "content" in update && typeof update.content === "object" && update.content !== null;
  if (kind === "tool_call" || kind === "tool_call_update")
    return "toolCallId" in update && typeof update.toolCallId === "string";
  return true;
}
