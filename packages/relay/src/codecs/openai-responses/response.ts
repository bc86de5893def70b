/** Responses of OpenAI's responses: a list of items, of which messages and calls are told. */
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

/** What the provider gave up with, if it says so. */
export function readFailure(raw: JsonObject): string | undefined {
  if (own(raw, "status") !== "failed") return undefined;
  const error = own(raw, "error");
  return (isObject(error) ? text(own(error, "message")) : undefined) ?? "no reason was given";
}

/** The response in the words of all providers. */
export function readResponse(raw: JsonObject): AnnotatedLlmResponse {
  const items = objectsOf(own(raw, "output"));
  const calls = items
    .filter(({ type }) => type === "function_call" || type === "custom_tool_call")
    .map(readCall);
  const texts = items.filter((item) => item.type === "message").flatMap(textsOf);
  const usage = own(raw, "usage");
  const details = isObject(usage) ? usage : {};
  return {
    ...without(raw, "output", "usage", "status", "incomplete_details", "id", "model"),
    ...present({
      id: text(own(raw, "id")),
      model: text(own(raw, "model")),
      message: texts.length === 0 ? undefined : texts.join(""),
      tool_calls: calls.length === 0 ? undefined : calls,
      finish_reason: reasonOf(raw, calls.length > 0),
      usage: isObject(usage) ? readUsage(usage) : undefined,
    }),
    api_specific: {
      api: "openai_responses",
      ...present({
        status: own(raw, "status"),
        incomplete_details: own(raw, "incomplete_details") ?? undefined,
        output_items: own(raw, "output"),
        input_tokens_details: own(details, "input_tokens_details"),
        output_tokens_details: own(details, "output_tokens_details"),
      }),
    },
  };
}

function reasonOf(raw: JsonObject, calls: boolean): FinishReason | undefined {
  const status = own(raw, "status");
  if (status === "completed") return calls ? "tool_use" : "complete";
  if (status !== "incomplete") return status === undefined ? undefined : "unknown";
  const details = own(raw, "incomplete_details");
  const reason = isObject(details) ? own(details, "reason") : undefined;
  if (reason === "max_output_tokens") return "length";
  return reason === "content_filter" ? "content_filter" : "unknown";
}

function readCall(item: JsonObject): Json {
  return {
    id: text(own(item, "call_id")) ?? text(own(item, "id")) ?? "",
    name: text(own(item, "name")) ?? "",
    // What a custom tool gets is a text of its own making.
    arguments: own(item, "input") ?? parsedArguments(own(item, "arguments")),
  };
}

function textsOf(item: JsonObject): readonly string[] {
  return objectsOf(own(item, "content")).flatMap(
    (part) => text(own(part, "text")) ?? text(own(part, "refusal")) ?? [],
  );
}

function readUsage(usage: JsonObject): Json | undefined {
  const details = own(usage, "input_tokens_details");
  return usageOf({
    prompt: number(own(usage, "input_tokens")),
    completion: number(own(usage, "output_tokens")),
    total: number(own(usage, "total_tokens")),
    cacheRead: isObject(details) ? number(own(details, "cached_tokens")) : undefined,
    cached: "within",
  });
}
