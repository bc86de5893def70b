/** A request to a model on its way to the provider: behind the intercepts, with a trace, and as events may tell of it. */
import { relayErrors } from "../errors.ts";
import type { PendingMark } from "../events/event.ts";
import { invoke } from "../middleware/invoke.ts";
import type { LlmRequest, LlmRequestInterceptOutcome } from "../middleware/payloads.ts";
import { isSecretName } from "../redaction/secret-names.ts";
import { traceparent } from "../scope/propagation.ts";
import type { Scope } from "../scope/scope.ts";
import type { Call } from "./call-parts.ts";
import { refusal } from "./conditional.ts";
import type { LlmCodec } from "./llm-codec.ts";

/** What the request intercepts have made of a request. */
export interface RewrittenRequest {
  readonly request: LlmRequest;
  /** They asked for these. */
  readonly pendingMarks: readonly PendingMark[];
}

const noMarks: readonly PendingMark[] = [];

/** The request behind all request intercepts. */
export async function rewrittenRequest(
  call: Call,
  given: LlmRequest,
  codec: LlmCodec | undefined,
): Promise<RewrittenRequest> {
  const entries = call.chains.of("llm_request_intercept");
  if (entries.length === 0) return { request: given, pendingMarks: noMarks };
  const original = codec === undefined ? undefined : decoded(codec, given);
  let annotated = original;
  let request = given;
  const pendingMarks: PendingMark[] = [];
  for (const entry of entries) {
    try {
      const payload = { name: call.name, request, annotated: annotated ?? null };
      const outcome = await invoke(entry, payload, call.root, call.parts.env.timers);
      request = changed(outcome, request, entry.name, codec);
      if (codec !== undefined && outcome.annotated !== undefined) annotated = outcome.annotated;
      pendingMarks.push(...(outcome.pendingMarks ?? []));
    } catch (error) {
      throw refusal(call, entry, error);
    }
    if (entry.breakChain) break;
  }
  if (codec === undefined || annotated === original) return { request, pendingMarks };
  return { request: encoded(codec, annotated, request), pendingMarks };
}

/** With a codec there is one place to change the content in, and the provider's own form isn't it. */
function changed(
  outcome: LlmRequestInterceptOutcome,
  before: LlmRequest,
  by: string,
  codec: LlmCodec | undefined,
): LlmRequest {
  const request = checkedRequest(outcome?.request, `The intercept "${by}"`);
  if (codec === undefined || same(request.content, before.content)) return request;
  throw relayErrors.badAnswer(`The intercept "${by}"`, "the content as it was: change annotated instead");
}

function same(one: unknown, other: unknown): boolean {
  if (one === other) return true;
  try {
    return JSON.stringify(one) === JSON.stringify(other);
  } catch {
    return false;
  }
}

function decoded(codec: LlmCodec, request: LlmRequest): unknown {
  try {
    return codec.decode(request);
  } catch (cause) {
    throw relayErrors.codecFailed("decode", cause);
  }
}

function encoded(codec: LlmCodec, annotated: unknown, original: LlmRequest): LlmRequest {
  let content: unknown;
  try {
    ({ content } = codec.encode(annotated, original));
  } catch (cause) {
    throw relayErrors.codecFailed("encode", cause);
  }
  return { headers: original.headers, content };
}

/** The request that the provider gets. */
export function tracedRequest(request: LlmRequest, scope: Scope): LlmRequest {
  const headers = { ...request.headers, traceparent: traceparent(scope.rootUuid, scope.uuid) };
  return { ...request, headers };
}

/** The request that events get. */
export function requestWithoutSecrets({ headers, content }: LlmRequest): LlmRequest {
  const told = Object.entries(headers).filter(([header]) => !isSecretName(header));
  return { headers: Object.fromEntries(told), content };
}

/** Throws `relay.bad_answer` for what is no request. */
export function checkedRequest(request: LlmRequest | undefined, what: string): LlmRequest {
  const whole = typeof request === "object" && request !== null && "content" in request;
  if (whole && typeof request.headers === "object" && request.headers !== null) return request;
  throw relayErrors.badAnswer(what, "a request: { headers, content }");
}
