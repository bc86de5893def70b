/** The questions that a killed process left without an answer: nobody will give them one, and who follows the session must hear so. */
import { limits } from "@troupe/protocol";
import type { Transcript } from "./transcript.ts";

/** The `requestId`s of a session's last turn that have no answer, oldest first. */
export async function openQuestions(transcript: Transcript, sessionId: string): Promise<string[]> {
  const answered = new Set<string>();
  const open: string[] = [];
  for (let before: number | undefined, more = true; more; ) {
    const page = await transcript.before({ sessionId, before, limit: limits.sessionPageEvents });
    for (const { event } of page.events.toReversed()) {
      if (!("sessionUpdate" in event)) continue;
      // The turn began here.
      if (event.sessionUpdate === "user_message_chunk") return open;
      if (event.sessionUpdate === "_permission_response") answered.add(event.requestId);
      if (event.sessionUpdate === "_permission_request" && !answered.has(event.requestId))
        open.unshift(event.requestId);
    }
    before = page.events[0]?.sequence;
    more = page.hasMore;
  }
  return open;
}
