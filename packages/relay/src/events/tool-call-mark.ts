/**
 * Tool-call marks: the tools that a model's answer asks for, a mark each, below the call.
 *
 * They are made of the call's end event as subscribers get it: what a sanitizer took out of that is in no mark either. They go
 * before it, while the call's scope is open.
 */
import { isObject, objectsOf, own, text } from "../codecs/json.ts";
import type { PendingMark, RelayEvent } from "./event.ts";

/** The name of such a mark. Its data: `{ tool_name, tool_call_id, arguments }`. */
export const TOOL_CALL_MARK = "llm.tool_call";

const none: readonly PendingMark[] = [];

/** The marks of an end event, in the order in which the answer asks; none where it has no annotated response. */
export function toolCallMarks({ category_profile: profile }: RelayEvent): readonly PendingMark[] {
  const response = profile === null ? undefined : own(profile, "annotated_response");
  const calls = isObject(response) ? objectsOf(own(response, "tool_calls")) : [];
  if (calls.length === 0) return none;
  return calls.map((call) => ({
    name: TOOL_CALL_MARK,
    data: {
      tool_name: text(own(call, "name")) ?? "",
      tool_call_id: text(own(call, "id")) ?? "",
      arguments: own(call, "arguments") ?? null,
    },
  }));
}
