/**
 * Providers: what the gateway knows of each model API. A row is a route, who answers it, how its payloads are read, and how
 * that API tells of an error, so that the agent's own client reads a refusal like any other.
 */

import { TroupeError } from "@troupe/base";
import type { LlmCodec } from "../calls/llm-codec.ts";
import type { ProviderCodec } from "../codecs/codec.ts";
import {
  AnthropicMessagesCodec,
  GeminiGenerateContentCodec,
  OpenAIChatCodec,
  OpenAIResponsesCodec,
} from "../codecs/codecs.ts";
import { isObject } from "../codecs/json.ts";
import type { ToldResponse } from "./response-reader.ts";

/** Whose API it is: each may have an upstream of its own. */
export type ProviderFamily = "openai" | "anthropic" | "gemini";

/** An API that the gateway stands in front of. */
export interface Provider {
  /** The name of its calls in traces. */
  readonly name: string;
  readonly family: ProviderFamily;
  /** Its paths. */
  readonly path: RegExp;
  readonly codec: ProviderCodec;
  /** The same for events: middleware sees what the agent sent, and events say it in the words of all providers too. */
  readonly eventCodec: LlmCodec;
  /** The body of an error. */
  readonly errorBody: (error: TroupeError) => unknown;
}

/** Below these Google speaks the words of others: Gemini's own address for OpenAI's, and Vertex. */
const GOOGLES = "^\\/v1(?:(?:alpha|beta)\\/openai|(?:(?:alpha|beta)1?)?\\/(?:projects|publishers))\\/";

/**
 * The providers by path. In front of what names a call there may be any path: the same API is behind `/openai/deployments/x`, `/api`,
 * and `/openai/v1`. An address that isn't here goes on unseen, so they say too much rather than too little.
 */
const providers: readonly Provider[] = rows().map((row) => ({ ...row, eventCodec: forEvents(row.codec) }));

function rows(): readonly Omit<Provider, "eventCodec">[] {
  const chat = { name: "openai.chat_completions", codec: new OpenAIChatCodec(), errorBody: openaiError };
  const messages = {
    name: "anthropic.messages",
    codec: new AnthropicMessagesCodec(),
    errorBody: anthropicError,
  };
  return [
    // Google's own addresses for the words of others.
    { ...chat, family: "gemini", path: googles("chat\\/completions$") },
    {
      ...messages,
      family: "gemini",
      path: googles("publishers\\/anthropic\\/models\\/(?!count-tokens:)[^/]+:(?:streamR|r)awPredict$"),
    },
    { ...chat, family: "openai", path: /\/chat\/completions$/i },
    {
      name: "openai.responses",
      family: "openai",
      path: /\/responses(?:\/compact)?$/i,
      codec: new OpenAIResponsesCodec(),
      errorBody: openaiError,
    },
    // A thread's messages, of another API, are below the thread.
    { ...messages, family: "anthropic", path: /^(?:.*\/v1)?\/messages$/i },
    {
      name: "gemini.generate_content",
      family: "gemini",
      path: /\/[^/]+:(?:streamG|g)enerateContent$/i,
      codec: new GeminiGenerateContentCodec(),
      errorBody: geminiError,
    },
  ];
}

function googles(path: string): RegExp {
  return new RegExp(`${GOOGLES}(?:.*\\/)?${path}`, "i");
}

function forEvents(codec: ProviderCodec): LlmCodec {
  return {
    // What couldn't be read, or is no such thing, says nothing, and is no codec's failure.
    decode: (request) => (isObject(request.content) ? codec.decode(request) : undefined),
    encode: (_annotated, original) => original,
    decodeResponse: (told) =>
      isObject(Object(told).content) ? codec.decodeResponse(Object(told).content) : undefined,
    failureOf: (told) => failureOf(codec, Object(told)),
  };
}

/** What events tell of an answer, where anybody may have changed it. */
type ToldAnswer = Readonly<Record<"status" | keyof ToldResponse, unknown>>;

/** Characters of a provider's words about what went wrong. */
const MOST_WORDS = 500;

/** What an answer that its client has read says went wrong: its status, its words, or that it isn't all there. */
function failureOf(codec: ProviderCodec, told: Partial<ToldAnswer>): string | undefined {
  const { status, content, complete, failure, content_type: type } = told;
  if (typeof status === "number" && status >= 300) {
    const { error } = isObject(content) ? content : {};
    const message = isObject(error) ? error.message : error;
    const words = typeof message === "string" ? message.slice(0, MOST_WORDS) : "";
    return words === "" ? `status ${status}` : `status ${status}: ${words}`;
  }
  const said = failure ?? codec.failureOf?.(content);
  if (typeof said === "string") return said.slice(0, MOST_WORDS);
  if (complete !== false) return undefined;
  if (content !== null) return "its stream ended early";
  const kind = typeof type === "string" ? `of the type ${type.slice(0, MOST_WORDS)}` : "without a type";
  return `its answer, ${kind}, is no JSON, or ended early`;
}

/** The API whose model calls come to `path`; undefined: it is none of them. */
export function providerOf(path: string): Provider | undefined {
  return providers.find((provider) => provider.path.test(path));
}

const googlesOwn = /^\/v1(?:(?:alpha|beta)1?\/|\/(?:projects|publishers|tunedModels)\/)/i;

/** Whose a request is that is no model call: lists of models, counts of tokens, files. */
export function familyOf(
  path: string,
  headers: Readonly<Record<string, string | readonly string[] | undefined>>,
): ProviderFamily {
  if (headers["anthropic-version"] !== undefined || path.startsWith("/v1/messages")) return "anthropic";
  if (headers["x-goog-api-key"] !== undefined || googlesOwn.test(path)) return "gemini";
  return "openai";
}

/** Any error as one that a client may read. */
export function readable(error: unknown): TroupeError {
  if (TroupeError.is(error) && error.public) return error;
  return new TroupeError("internal", "error", "Internal error", { statusCode: 500, cause: error });
}

function openaiError({ group, code, message, statusCode }: TroupeError): unknown {
  return { error: { message, type: typeOf(statusCode), param: null, code: `${group}.${code}` } };
}

function anthropicError({ group, code, message, statusCode }: TroupeError): unknown {
  return { type: "error", error: { type: typeOf(statusCode), message, code: `${group}.${code}` } };
}

const googleStatus: Readonly<Record<number, string>> = {
  400: "INVALID_ARGUMENT",
  401: "UNAUTHENTICATED",
  403: "PERMISSION_DENIED",
  503: "UNAVAILABLE",
};

function geminiError({ group, code, message, statusCode }: TroupeError): unknown {
  const status = googleStatus[statusCode] ?? "INTERNAL";
  return { error: { code: statusCode, message, status, details: [{ reason: `${group}.${code}` }] } };
}

const typesOf: Readonly<Record<number, string>> = {
  400: "invalid_request_error",
  401: "authentication_error",
  403: "permission_error",
  413: "request_too_large",
};

function typeOf(statusCode: number): string {
  return typesOf[statusCode] ?? "api_error";
}
