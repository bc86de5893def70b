/** What callers send, checked: it crosses a wire, so that its types are only a hope. */
import type { ContentBlock } from "@agentclientprotocol/sdk";
import { limits } from "@troupe/protocol";
import { sessionErrors } from "./errors.ts";
import type { EntryRange, HistoryRange } from "./session-entry.ts";

/** A prompt: text, or ACP's content blocks. */
export type PromptContent = string | readonly ContentBlock[];

/** A prompt as ACP has it. Throws `session.invalid`. */
export function contentBlocks(content: PromptContent): readonly ContentBlock[] {
  if (typeof content === "string" && content !== "") return [{ type: "text", text: content }];
  if (!Array.isArray(content) || content.length === 0 || !content.every(isBlock))
    throw sessionErrors.invalid(
      `A prompt is a text, not an empty one, or a list of content blocks: ${[...blockTexts].map(([type, texts]) => [type, ...texts].join(" ")).join(", ")}`,
    );
  return content;
}

/** ACP's kinds of content blocks, and the texts that each must have; what an agent can't read it would answer with an error of its own. */
const blockTexts: ReadonlyMap<unknown, readonly string[]> = new Map([
  ["text", ["text"]],
  ["image", ["data", "mimeType"]],
  ["audio", ["data", "mimeType"]],
  ["resource_link", ["name", "uri"]],
  ["resource", []],
]);

function isBlock(value: unknown): boolean {
  if (!isRecord(value)) return false;
  const texts = blockTexts.get(value["type"]);
  if (texts === undefined || !texts.every((name) => typeof value[name] === "string")) return false;
  return (
    value["type"] !== "resource" ||
    (isRecord(value["resource"]) && typeof value["resource"]["uri"] === "string")
  );
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}

/** A key for a prompt that may come twice. Throws `session.invalid`. */
export function checkKey(key: string | undefined): string | undefined {
  const most = limits.sessionPromptKeyLength;
  if (key !== undefined && (typeof key !== "string" || key === "" || key.length > most))
    throw sessionErrors.invalid(`idempotencyKey must be a text of 1 to ${most} characters`);
  return key;
}

/** Throws `session.invalid`. */
export function checkName(name: string, value: string): string {
  if (typeof value !== "string" || value === "") throw sessionErrors.invalid(`${name} must be a text`);
  return value;
}

/** A range with its defaults. Throws `session.invalid`. */
export function checkRange(range: EntryRange, most: number): Required<EntryRange> {
  const { sessionId, after = 0, limit = most } = range;
  if (typeof sessionId !== "string") throw sessionErrors.invalid("sessionId must be a text");
  if (!Number.isSafeInteger(after) || after < 0)
    throw sessionErrors.invalid("after must be a sequence, 0 or more");
  if (!Number.isSafeInteger(limit) || limit < 1 || limit > most)
    throw sessionErrors.invalid(`limit must be a number from 1 to ${most}`);
  return { sessionId, after, limit };
}

/** Which part of a history: by `before`, or by `after`, with its defaults. Throws `session.invalid`. */
export function checkHistory(
  range: HistoryRange,
  session: string,
):
  | { readonly sessionId: string; readonly before: number | undefined; readonly limit: number }
  | Required<EntryRange> {
  const { sessionId = session, before, after, limit = limits.sessionPageEvents } = range;
  if (before !== undefined && after !== undefined)
    throw sessionErrors.invalid("A page of a history is before a sequence or after one, not both");
  if (after !== undefined) return checkRange({ sessionId, after, limit }, limits.sessionPageEvents);
  checkRange({ sessionId, after: before ?? 0, limit }, limits.sessionPageEvents);
  return { sessionId, before, limit };
}
