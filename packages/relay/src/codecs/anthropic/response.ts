/** Responses of Anthropic's messages. */
import type { Json } from "../../events/event.ts";
import type { AnnotatedLlmResponse, FinishReason } from "../annotated.ts";
import { isObject, type JsonObject, number, objectsOf, own, present, text, without } from "../json.ts";
import { usageOf } from "../usage.ts";

const reasons: Readonly<Record<string, FinishReason>> = {
  end_turn: "complete",
  stop_sequence: "complete",
  max_tokens: "length",
  model_context_window_exceeded: "length",
  tool_use: "tool_use",
  refusal: "content_filter",
};

/** The response in the words of all providers. */
export function readResponse(raw: JsonObject): AnnotatedLlmResponse {
  const blocks = objectsOf(own(raw, "content"));
  const texts = blocks
    .filter(({ type }) => type === "text")
    .flatMap((block) => text(own(block, "text")) ?? []);
  const calls = blocks.filter(({ type }) => type === "tool_use").map(readCall);
  const reason = own(raw, "stop_reason");
  return {
    ...without(raw, "content", "usage", "type", "role", "stop_reason", "stop_sequence", "id", "model"),
    ...present({
      id: text(own(raw, "id")),
      model: text(own(raw, "model")),
      message: texts.length === 0 ? undefined : texts.join("\n"),
      tool_calls: calls.length === 0 ? undefined : calls,
      finish_reason: typeof reason === "string" ? (reasons[reason] ?? "unknown") : undefined,
      usage: readUsage(own(raw, "usage")),
    }),
    api_specific: {
      api: "anthropic_messages",
      ...present({
        object_type: own(raw, "type"),
        role: own(raw, "role"),
        stop_reason: reason,
        stop_sequence: own(raw, "stop_sequence") ?? undefined,
        content_blocks: own(raw, "content"),
      }),
    },
  };
}

function readCall(block: JsonObject): Json {
  return {
    id: text(own(block, "id")) ?? "",
    name: text(own(block, "name")) ?? "",
    arguments: own(block, "input") ?? {},
  };
}

function readUsage(usage: Json | undefined): Json | undefined {
  if (!isObject(usage)) return undefined;
  return usageOf({
    prompt: number(own(usage, "input_tokens")),
    completion: number(own(usage, "output_tokens")),
    cacheRead: number(own(usage, "cache_read_input_tokens")),
    cacheWrite: number(own(usage, "cache_creation_input_tokens")),
    cached: "apart",
  });
}
