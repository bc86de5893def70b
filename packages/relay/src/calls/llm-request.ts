/** A request to a model on its way to the provider: behind the intercepts, with a trace, and as events may tell of it. */
import { relayErrors } from "../errors.ts";
import type { PendingMark } from "../events/event.ts";
import { checkReadable } from "../given.ts";
import { invoke, type MaybePromise } from "../middleware/invoke.ts";
import type { Entry } from "../middleware/level.ts";
import type { LlmRequest, LlmRequestInterceptOutcome } from "../middleware/payloads.ts";
import { isSecretHeader } from "../redaction/secret-names.ts";
import { traceparent } from "../scope/propagation.ts";
import type { Scope } from "../scope/scope.ts";
import type { Call } from "./call-parts.ts";
import { refusal } from "./conditional.ts";
import type { LlmCodec } from "./llm-codec.ts";
import { saysTheSame, snapshot } from "./snapshot.ts";

/** What the request intercepts have made of a request. */
export interface RewrittenRequest {
  readonly request: LlmRequest;
  /** They asked for these. */
  readonly pendingMarks: readonly PendingMark[];
}

const noMarks: readonly PendingMark[] = [];

/** The request behind all request intercepts; at once where there are none. */
export function rewrittenRequest(
  call: Call,
  given: LlmRequest,
  codec: LlmCodec | undefined,
): MaybePromise<RewrittenRequest> {
  const entries = call.chains.of("llm_request_intercept");
  if (entries.length === 0) return { request: given, pendingMarks: noMarks };
  return rewrittenBy(entries, call, given, codec);
}

async function rewrittenBy(
  entries: readonly Entry<"llm_request_intercept">[],
  call: Call,
  given: LlmRequest,
  codec: LlmCodec | undefined,
): Promise<RewrittenRequest> {
  const before = codec === undefined ? undefined : read(codec, given);
  let annotated = snapshot(before?.annotated);
  let request = given;
  const pendingMarks: PendingMark[] = [];
  for (const entry of entries) {
    try {
      const payload = { name: call.name, request, annotated: annotated ?? null };
      const outcome = await invoke(entry, payload, call.root, call.parts.env.timers);
      request = changed(outcome, entry.name, before);
      if (codec !== undefined && outcome.annotated !== undefined) annotated = outcome.annotated;
      pendingMarks.push(...(outcome.pendingMarks ?? []));
    } catch (error) {
      throw refusal(call, entry, error);
    }
    if (entry.breakChain) break;
  }
  if (codec === undefined || saysTheSame(annotated, before?.annotated)) return { request, pendingMarks };
  return { request: encoded(codec, annotated, request), pendingMarks };
}

/** A request as it was before the intercepts, which may edit in place what they are given. */
interface Before {
  readonly content: unknown;
  readonly annotated: unknown;
}

/** Nobody else has what this answers: codecs answer parts of the content that they decode. */
function read(codec: LlmCodec, { headers, content }: LlmRequest): Before {
  const request = { headers, content: snapshot(content) };
  return { content: request.content, annotated: decoded(codec, request) };
}

const isName = /^[!#$%&'*+.^_`|~\w-]+$/;
/** Ends of lines would make another header of it. */
const isValue = /^[^\r\n\0]*$/;

/** What an intercept gives its `next`. Throws `relay.bad_answer` for what can't be sent. */
export function nextRequest(request: LlmRequest, by: string): LlmRequest {
  return sendable(checkedRequest(request, `The intercept "${by}", to next,`), by);
}

function sendable(request: LlmRequest, by: string): LlmRequest {
  for (const [name, value] of Object.entries(request.headers))
    if (!isName.test(name) || !isValue.test(value))
      throw relayErrors.badAnswer(
        `The intercept "${by}"`,
        `a header "${name.slice(0, 64)}" that HTTP can say`,
      );
  return request;
}

/** With a codec there is one place to change the content in, and the provider's own form isn't it. */
function changed(outcome: LlmRequestInterceptOutcome, by: string, before: Before | undefined): LlmRequest {
  const request = sendable(checkedRequest(outcome?.request, `The intercept "${by}"`), by);
  if (before === undefined || saysTheSame(request.content, before.content)) return request;
  throw relayErrors.badAnswer(`The intercept "${by}"`, "the content as it was: change annotated instead");
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
  const told = Object.entries(headers).filter(([header]) => !isSecretHeader(header));
  return { headers: Object.fromEntries(told), content };
}

/** The request, its headers by name. Throws `relay.bad_answer` for what is no request. */
export function checkedRequest(request: LlmRequest | undefined, what: string): LlmRequest {
  if (typeof request === "object" && request !== null) checkReadable(request, "request");
  const whole = typeof request === "object" && request !== null && "content" in request;
  const headers: unknown = whole ? request.headers : undefined;
  if (!whole || typeof headers !== "object" || headers === null)
    throw relayErrors.badAnswer(what, "a request: { headers, content }");
  return isEntries(headers) ? { ...request, headers: byName(headers, what) } : request;
}

/** True for `Headers`, a map or a list of pairs: as an object they would have no header at all. */
function isEntries(headers: object): headers is Iterable<unknown> {
  return Symbol.iterator in headers;
}

function byName(headers: Iterable<unknown>, what: string): Record<string, string> {
  const pairs = Array.from(headers, (pair): readonly [string, string] => {
    if (!Array.isArray(pair) || pair.length !== 2)
      throw relayErrors.badAnswer(what, "a request whose headers are an object, or pairs of name and value");
    return [String(pair[0]), String(pair[1])];
  });
  return Object.fromEntries(pairs);
}
