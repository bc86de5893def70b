/** What the codecs in the box do beyond the port of calls (`calls/llm-codec.ts`): typed words, and knowing their own. */
import type { LlmCodec, StreamCollector } from "../calls/llm-codec.ts";
import type { Json } from "../events/event.ts";
import type { LlmRequest } from "../middleware/payloads.ts";
import type { AnnotatedLlmRequest, AnnotatedLlmResponse, CodecName } from "./annotated.ts";

/** A codec in the box. */
export interface ProviderCodec extends LlmCodec {
  readonly name: CodecName;
  /** Throws `relay.payload_unreadable` for what is no request of this provider. */
  decode(request: LlmRequest): AnnotatedLlmRequest;
  /** The original with what `annotated` says otherwise. `encode(decode(x), x)` says what x says, to the last field. */
  encode(annotated: AnnotatedLlmRequest, original: LlmRequest): LlmRequest;
  /** Throws `relay.payload_unreadable` for what is no response of this provider. */
  decodeResponse(response: unknown): AnnotatedLlmResponse;
  /** Gathers one stream: each chunk is the parsed data of one server-sent event. */
  collectStream(): StreamCollector;
  /** True when the content of a request looks like this provider's. */
  recognises(content: unknown): boolean;
  /** True when a response looks like this provider's. */
  recognisesResponse(response: unknown): boolean;
}

/** Puts the chunks of one stream together. */
export interface StreamAssembly {
  /** Unknown chunks change nothing. */
  add(chunk: unknown): void;
  /** True when the provider has said that it is done: a stream that ends before was cut off. */
  readonly complete: boolean;
  /** What it gave up with, where it has said so. */
  readonly failure?: string | undefined;
  /** The response as the provider would have sent it in one piece, with the usage of its final chunk. */
  response(): Json;
}
