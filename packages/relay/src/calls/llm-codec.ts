/**
 * LlmCodec: what turns a provider's requests and responses into one form that intercepts and events understand, and back.
 *
 * Requests: `encode(decode(x), x)` is `x`. A request that can't be decoded refuses the call: guardrails and intercepts
 * would be blind. A response that can't be decoded is the caller's all the same; its event goes without the annotation.
 */
import type { Json } from "../events/event.ts";
import type { LlmRequest } from "../middleware/payloads.ts";

/** A codec of one provider's API. */
export interface LlmCodec {
  decode(request: LlmRequest): unknown;
  /** `original` is what `annotated` was decoded from: what the form has no word for stays as it is there. */
  encode(annotated: unknown, original: LlmRequest): LlmRequest;
  decodeResponse(response: unknown): unknown;
  /** What the provider gave up with, where a response of one piece says that it did: its end event tells of it. */
  failureOf?(response: unknown): string | undefined;
  /** For streams: gathers one response's chunks. Without it a stream has no response but the finalizer's. */
  collectStream?(): StreamCollector;
}

/** Makes one response of its chunks. */
export interface StreamCollector {
  add(chunk: unknown): void;
  /** What may be told of a chunk in its mark; the chunk itself isn't. */
  describe?(chunk: unknown): { readonly [key: string]: Json };
  /**
   * The response so far; `complete` when the provider has said that it is the whole one. `failure`: what it gave up with, where
   * it says in the stream that it did; the caller has read that, and the end event tells of it.
   */
  end(): { readonly response: unknown; readonly complete: boolean; readonly failure?: string | undefined };
}
