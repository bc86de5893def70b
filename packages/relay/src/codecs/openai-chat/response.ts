/** Responses of OpenAI's chat completions. */
import type { Json } from "../../events/event.ts";
import type { AnnotatedLlmResponse, FinishReason } from "../annotated.ts";
import {
  isObject,
  type JsonObject,
  number,
  objectsOf,
  own,
  parsedArguments,
  present,
  text,
  without,
} from "../json.ts";
import { usageOf } from "../usage.ts";

const reasons: Readonly<Record<string, FinishReason>> = {
  stop: "complete",
  length: "length",
  tool_calls: "tool_use",
  function_call: "tool_use",
  content_filter: "content_filter",
};

/** The response in the words of all providers. */
export function readResponse(raw: JsonObject): AnnotatedLlmResponse {
  const [choice] = objectsOf(own(raw, "choices"));
  const message = choice === undefined ? undefined : own(choice, "message");
  const said = isObject(message) ? message : {};
  const reason = choice === undefined ? undefined : own(choice, "finish_reason");
  const calls = objectsOf(own(said, "tool_calls")).flatMap(readCall);
  return {
    ...without(raw, "choices", "usage", "service_tier", "system_fingerprint", "id", "model"),
    ...present({
      id: text(own(raw, "id")),
      model: text(own(raw, "model")),
      message: text(own(said, "content")) ?? text(own(said, "refusal")),
      tool_calls: calls.length === 0 ? undefined : calls,
      finish_reason: typeof reason === "string" ? (reasons[reason] ?? "unknown") : undefined,
      usage: readUsage(own(raw, "usage")),
    }),
    api_specific: {
      api: "openai_chat",
      ...present({
        service_tier: own(raw, "service_tier"),
        system_fingerprint: own(raw, "system_fingerprint"),
      }),
    },
  };
}

function readCall(call: JsonObject): readonly Json[] {
  // What a custom tool gets is a text of its own making.
  const custom = own(call, "custom");
  const fn = isObject(custom) ? custom : own(call, "function");
  if (!isObject(fn)) return [];
  return [
    {
      id: text(own(call, "id")) ?? "",
      name: text(own(fn, "name")) ?? "",
      arguments: own(fn, "input") ?? parsedArguments(own(fn, "arguments")),
    },
  ];
}

function readUsage(usage: Json | undefined): Json | undefined {
  if (!isObject(usage)) return undefined;
  const details = own(usage, "prompt_tokens_details");
  return usageOf({
    prompt: number(own(usage, "prompt_tokens")),
    completion: number(own(usage, "completion_tokens")),
    total: number(own(usage, "total_tokens")),
    cacheRead: isObject(details) ? number(own(details, "cached_tokens")) : undefined,
    cached: "within",
  });
}
