/**
 * The transcript as a text: what an agent is given that has begun anew and can't load the session itself.
 *
 * The newest events that fit, oldest first. Chunks of one speaker are joined; of tools there is the title and how it ended.
 */
import type { ContentBlock } from "@agentclientprotocol/sdk";
import { limits } from "@troupe/protocol";
import type { Entry } from "../session-entry.ts";
import type { Transcript } from "./transcript.ts";

const HEAD =
  "This conversation goes on from an earlier one, which you don't remember. What was said and done so far:\n\n";

/** The block that stands before the first prompt; undefined when there is nothing to tell. */
export async function historyBlock(
  transcript: Transcript,
  sessionId: string,
): Promise<ContentBlock | undefined> {
  const told = await newest(transcript, sessionId);
  return told === "" ? undefined : { type: "text", text: HEAD + told };
}

async function newest(transcript: Transcript, sessionId: string): Promise<string> {
  const entries: Entry[] = [];
  let characters = 0;
  for (let before: number | undefined; ; ) {
    const page = await transcript.before({ sessionId, before, limit: limits.sessionPageEvents });
    for (const entry of page.events.toReversed()) {
      characters += textOf(entry)?.text.length ?? 0;
      if (characters > limits.sessionHistoryCharacters) return lines(entries);
      entries.unshift(entry);
    }
    before = page.events[0]?.sequence;
    if (!page.hasMore || before === undefined) return lines(entries);
  }
}

function lines(entries: readonly Entry[]): string {
  let speaker = "";
  let text = "";
  for (const entry of entries) {
    const said = textOf(entry);
    if (said === undefined) continue;
    if (said.speaker !== speaker || said.speaker === "Tool")
      text += `${text === "" ? "" : "\n\n"}${said.speaker}: `;
    speaker = said.speaker;
    text += said.text;
  }
  return text;
}

interface Said {
  readonly speaker: "User" | "You" | "Tool";
  readonly text: string;
}

function textOf({ event }: Entry): Said | undefined {
  if (!("sessionUpdate" in event)) return undefined;
  switch (event.sessionUpdate) {
    case "user_message_chunk":
      return chunk("User", event.content);
    case "agent_message_chunk":
      return chunk("You", event.content);
    case "tool_call":
      return { speaker: "Tool", text: event.title };
    default:
      return undefined;
  }
}

function chunk(speaker: Said["speaker"], content: ContentBlock): Said {
  return { speaker, text: content.type === "text" ? content.text : `[${content.type}]` };
}
