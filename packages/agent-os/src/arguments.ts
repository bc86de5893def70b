/** What callers send, checked: it crosses a wire, so that its types are only a hope. */
import type { ContentBlock } from "@agentclientprotocol/sdk";
import { sessionErrors } from "./errors.ts";
import type { EntryRange } from "./session-entry.ts";

/** A prompt: text, or ACP's content blocks. */
export type PromptContent = string | readonly ContentBlock[];

/** A prompt as ACP has it. Throws `session.invalid`. */
export function contentBlocks(content: PromptContent): readonly ContentBlock[] {
  if (typeof content === "string") return [{ type: "text", text: content }];
  if (!Array.isArray(content) || content.length === 0 || !content.every(isBlock))
    throw sessionErrors.invalid("A prompt is a text or a list of content blocks");
  return content;
}

function isBlock(value: unknown): boolean {
  return typeof value === "object" && value !== null && "type" in value && typeof value.type === "string";
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
