/**
 * ToldCall: what the events of a call say of it, for whoever reads events from elsewhere: a file, a wire, a subscriber that
 * sums up. Fields are looked at one by one, as they may be anybody's: what isn't there, or is something else, is left out.
 */
import { isObject, type JsonObject, number, own, text } from "../codecs/json.ts";
import type { Json } from "./event.ts";
import { TOOL_CALL_MARK } from "./tool-call-mark.ts";

/** A sum of money. */
export interface ToldCost {
  readonly total: number;
  /** Of its price. */
  readonly currency: string;
}

/** What a call of a model came to. */
export interface ToldCall {
  /** As its response names it, or else its caller. */
  readonly model: string | undefined;
  readonly promptTokens: number | undefined;
  readonly completionTokens: number | undefined;
  /** Of the prompt's, those that the provider had in its cache. */
  readonly cachedTokens: number | undefined;
  /** Undefined: no price is known for it. */
  readonly cost: ToldCost | undefined;
}

/** What the `category_profile` of an end event says. */
export function readCall(profile: unknown): ToldCall {
  const known = record(profile);
  const response = record(own(known, "annotated_response"));
  const usage = record(own(response, "usage"));
  return {
    model: text(own(response, "model")) ?? text(own(known, "model_name")),
    promptTokens: number(own(usage, "prompt_tokens")),
    completionTokens: number(own(usage, "completion_tokens")),
    cachedTokens: number(own(usage, "cache_read_tokens")),
    cost: costOf(record(own(usage, "cost"))),
  };
}

function costOf(cost: JsonObject): ToldCost | undefined {
  const total = number(own(cost, "total"));
  return total === undefined ? undefined : { total, currency: text(own(cost, "currency")) ?? "USD" };
}

/** A tool that a model's answer asks for. */
export interface ToldToolCall {
  readonly tool: string;
  readonly args: Json;
}

/** What a mark says of such a tool; undefined for one of anything else. */
export function readToolCall(mark: {
  readonly name: unknown;
  readonly data: unknown;
}): ToldToolCall | undefined {
  if (mark.name !== TOOL_CALL_MARK) return undefined;
  const data = record(mark.data);
  return { tool: text(own(data, "tool_name")) ?? "", args: own(data, "arguments") ?? null };
}

/** What an end event's `metadata` says went wrong; undefined where nothing did. */
export function readFailure(metadata: unknown): string | undefined {
  const known = record(metadata);
  if (own(known, "otel.status_code") !== "ERROR") return undefined;
  return text(own(known, "otel.status_description")) ?? text(own(known, "error.type")) ?? "failed";
}

/** Why a guardrail said no, by the `data` of its mark or of its scope's end; undefined where it didn't. */
export function readRefusal(data: unknown): string | undefined {
  const known = record(data);
  if (own(known, "rejected") !== true) return undefined;
  // A guardrail may say no without a word.
  return text(own(known, "rejection_reason")) || "refused";
}

/** Why a guardrail failed, by the mark of the call that it stopped so; undefined for any other mark. */
export function readStopped(mark: {
  readonly data: unknown;
  readonly metadata: unknown;
}): string | undefined {
  const data = record(mark.data);
  const stopped = own(data, "allowed") === false && own(data, "rejected") === false;
  return stopped ? readFailure(mark.metadata) : undefined;
}

function record(value: unknown): JsonObject {
  return isObject(value) ? value : {};
}
