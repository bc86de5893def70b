/**
 * Answer events: a response in one piece as the stream that its client has asked for, where a middleware answered in the provider's place.
 * What isn't a response in its provider's words is one event, as it is.
 */
import { isList, isObject, type JsonObject } from "../codecs/json.ts";
import type { Json } from "../events/event.ts";

/** The chunks of `answer`, in the words of the provider of that name. */
export function eventsOfAnswer(provider: string, answer: unknown): readonly unknown[] {
  if (!isObject(answer)) return [answer];
  if (provider === "openai.chat_completions" && isList(answer["choices"]))
    return [chatChunk(answer, answer["choices"])];
  if (provider === "openai.responses" && isList(answer["output"]))
    return responseEvents(answer, answer["output"]);
  if (provider === "anthropic.messages" && isList(answer["content"]))
    return messageEvents(answer, answer["content"]);
  return [answer];
}

function chatChunk(answer: JsonObject, choices: readonly unknown[]): unknown {
  return {
    ...answer,
    object: "chat.completion.chunk",
    choices: choices.map((choice, index) => {
      const { message, ...rest } = Object(choice);
      const calls = Object(message).tool_calls;
      const tool_calls = isList(calls) ? calls.map((call, n) => ({ index: n, ...Object(call) })) : undefined;
      return { index, ...rest, delta: { ...message, ...(tool_calls === undefined ? {} : { tool_calls }) } };
    }),
  };
}

function responseEvents(response: JsonObject, output: readonly Json[]): readonly unknown[] {
  const events: object[] = [
    { type: "response.created", response: { ...response, status: "in_progress", output: [] } },
  ];
  for (const [output_index, item] of output.entries()) {
    events.push({ type: "response.output_item.added", output_index, item });
    const { content, id: item_id = null } = Object(item);
    for (const [content_index, part] of (isList(content) ? content : []).entries())
      if (typeof Object(part).text === "string")
        events.push({
          ...{ type: "response.output_text.delta", item_id, output_index, content_index },
          delta: Object(part).text,
        });
    events.push({ type: "response.output_item.done", output_index, item });
  }
  events.push({ type: "response.completed", response });
  return events.map((event, sequence_number) => ({ ...event, sequence_number }));
}

function messageEvents(message: JsonObject, content: readonly unknown[]): readonly unknown[] {
  const { stop_reason = "end_turn", stop_sequence = null, usage = {} } = message;
  const begun = { ...message, content: [], stop_reason: null, stop_sequence: null };
  const blocks = content.flatMap((block, index) => {
    const { empty, deltas } = blockOf(Object(block));
    return [
      { type: "content_block_start", index, content_block: empty },
      ...deltas.map((delta) => ({ type: "content_block_delta", index, delta })),
      { type: "content_block_stop", index },
    ];
  });
  return [
    { type: "message_start", message: begun },
    ...blocks,
    { type: "message_delta", delta: { stop_reason, stop_sequence }, usage },
    { type: "message_stop" },
  ];
}

/** A block as it begins, and what is added to it. */
function blockOf(block: JsonObject): { readonly empty: unknown; readonly deltas: readonly unknown[] } {
  const { type, text, input } = block;
  if (type === "text") return { empty: { ...block, text: "" }, deltas: [{ type: "text_delta", text }] };
  if (type !== "tool_use") return { empty: block, deltas: [] };
  const partial_json = JSON.stringify(input ?? {});
  return { empty: { ...block, input: {} }, deltas: [{ type: "input_json_delta", partial_json }] };
}
