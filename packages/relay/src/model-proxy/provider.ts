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

/** The providers by path. */
const providers: readonly Provider[] = rows().map((row) => ({ ...row, eventCodec: forEvents(row.codec) }));

function rows(): readonly Omit<Provider, "eventCodec">[] {
  return [
    {
      name: "openai.chat_completions",
      family: "openai",
      path: /^(?:\/v1)?\/chat\/completions$/,
      codec: new OpenAIChatCodec(),
      errorBody: openaiError,
    },
    {
      name: "openai.responses",
      family: "openai",
      path: /^(?:\/v1)?\/responses$/,
      codec: new OpenAIResponsesCodec(),
      errorBody: openaiError,
    },
    {
      name: "anthropic.messages",
      family: "anthropic",
      path: /^\/v1\/messages$/,
      codec: new AnthropicMessagesCodec(),
      errorBody: anthropicError,
    },
    {
      name: "gemini.generate_content",
      family: "gemini",
      path: /^\/v1(?:alpha|beta)?\/models\/[^/]+:(?:streamG|g)enerateContent$/,
      codec: new GeminiGenerateContentCodec(),
      errorBody: geminiError,
    },
  ];
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

/** Characters of a provider's words about what went wrong. */
const MOST_WORDS = 500;

/** What an answer that its client has read says went wrong: its status, its words, or that it isn't all there. */
function failureOf(
  codec: ProviderCodec,
  { status, content, complete }: { status?: unknown; content?: unknown; complete?: unknown },
): string | undefined {
  if (typeof status === "number" && status >= 400) {
    const { error } = isObject(content) ? content : {};
    const message = isObject(error) ? error.message : error;
    const words = typeof message === "string" ? message.slice(0, MOST_WORDS) : "";
    return words === "" ? `status ${status}` : `status ${status}: ${words}`;
  }
  return codec.failureOf?.(content) ?? (complete === false ? "its stream ended early" : undefined);
}

/** The API whose model calls come to `path`; undefined: it is none of them. */
export function providerOf(path: string): Provider | undefined {
  return providers.find((provider) => provider.path.test(path));
}

/** Whose a request is that is no model call: lists of models, counts of tokens, files. */
export function familyOf(
  path: string,
  headers: Readonly<Record<string, string | readonly string[] | undefined>>,
): ProviderFamily {
  if (headers["anthropic-version"] !== undefined || path.startsWith("/v1/messages")) return "anthropic";
  if (headers["x-goog-api-key"] !== undefined || /^\/v1(?:alpha|beta)\//.test(path)) return "gemini";
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

function geminiError({ group, code, message, statusCode }: TroupeError): unknown {
  const status = statusCode === 403 ? "PERMISSION_DENIED" : statusCode === 503 ? "UNAVAILABLE" : "INTERNAL";
  return { error: { code: statusCode, message, status, details: [{ reason: `${group}.${code}` }] } };
}

function typeOf(statusCode: number): string {
  return statusCode === 403 ? "permission_error" : "api_error";
}
