/** Responses of Gemini's generateContent. */
import type { Json } from "../../events/event.ts";
import type { AnnotatedLlmResponse, FinishReason } from "../annotated.ts";
import { isObject, type JsonObject, number, objectsOf, own, present, text, without } from "../json.ts";
import { usageOf } from "../usage.ts";

const reasons: Readonly<Record<string, FinishReason>> = {
  STOP: "complete",
  MAX_TOKENS: "length",
  SAFETY: "content_filter",
  RECITATION: "content_filter",
  BLOCKLIST: "content_filter",
  PROHIBITED_CONTENT: "content_filter",
  SPII: "content_filter",
  IMAGE_SAFETY: "content_filter",
};

/** True when the provider refused the prompt: such a response has no candidates. */
export function isBlocked(raw: JsonObject): boolean {
  const feedback = own(raw, "promptFeedback");
  return isObject(feedback) && typeof feedback.blockReason === "string";
}

/** The response in the words of all providers. */
export function readResponse(raw: JsonObject): AnnotatedLlmResponse {
  const [answered] = objectsOf(own(raw, "candidates"));
  const candidate = answered ?? {};
  const content = own(candidate, "content");
  const parts = isObject(content) ? objectsOf(own(content, "parts")) : [];
  const texts = parts
    .filter(({ thought }) => thought !== true)
    .flatMap((part) => text(own(part, "text")) ?? []);
  const calls = parts.flatMap(readCall);
  const usage = own(raw, "usageMetadata");
  const counted = isObject(usage) ? usage : {};
  return {
    ...without(raw, "candidates", "usageMetadata", "modelVersion", "responseId"),
    ...present({
      id: text(own(raw, "responseId")),
      model: text(own(raw, "modelVersion")),
      message: texts.length === 0 ? undefined : texts.join(""),
      tool_calls: calls.length === 0 ? undefined : calls,
      finish_reason:
        answered === undefined && isBlocked(raw)
          ? "content_filter"
          : reasonOf(own(candidate, "finishReason"), calls.length > 0),
      usage: readUsage(counted),
    }),
    api_specific: {
      api: "gemini_generate_content",
      ...present({
        index: own(candidate, "index"),
        safety_ratings: own(candidate, "safetyRatings"),
        thoughts_tokens: own(counted, "thoughtsTokenCount"),
      }),
    },
  };
}

function reasonOf(reason: Json | undefined, calls: boolean): FinishReason | undefined {
  if (typeof reason !== "string") return undefined;
  const told = reasons[reason] ?? "unknown";
  return told === "complete" && calls ? "tool_use" : told;
}

function readCall(part: JsonObject): readonly Json[] {
  const call = own(part, "functionCall");
  if (!isObject(call)) return [];
  const name = text(own(call, "name")) ?? "";
  return [{ id: text(own(call, "id")) ?? name, name, arguments: own(call, "args") ?? {} }];
}

function readUsage(usage: JsonObject): Json | undefined {
  return usageOf({
    prompt: number(own(usage, "promptTokenCount")),
    completion: number(own(usage, "candidatesTokenCount")),
    total: number(own(usage, "totalTokenCount")),
    cacheRead: number(own(usage, "cachedContentTokenCount")),
    cached: "within",
  });
}
