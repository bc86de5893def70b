/** The port of codecs: what reads and writes the words of one provider. */
import type { Json } from "../events/event.ts";
import type { LlmRequest } from "../middleware/payloads.ts";
import type { AnnotatedLlmRequest, AnnotatedLlmResponse, CodecName } from "./annotated.ts";

/** Reads requests, and writes them back with what was edited. */
export interface LlmCodec {
  /** Throws `relay.payload_unreadable` for what is no request of this provider. */
  decode(request: LlmRequest): AnnotatedLlmRequest;
  /** The original with what `annotated` says otherwise. `encode(decode(x), x)` says what x says, to the last field. */
  encode(annotated: AnnotatedLlmRequest, original: LlmRequest): LlmRequest;
}

/** Reads responses. */
export interface LlmResponseCodec {
  /** Throws `relay.payload_unreadable` for what is no response of this provider. */
  decodeResponse(response: unknown): AnnotatedLlmResponse;
}

/** Puts the chunks of one stream together. */
export interface StreamAssembly {
  /** Takes a chunk: the parsed data of one server-sent event. Unknown ones change nothing. */
  add(chunk: unknown): void;
  /** True when the provider has said that it is done: a stream that ends before was cut off. */
  readonly complete: boolean;
  /** The response as the provider would have sent it in one piece, with the usage of its final chunk. */
  response(): Json;
}

/** A codec in the box. */
export interface ProviderCodec extends LlmCodec, LlmResponseCodec {
  readonly name: CodecName;
  /** A new assembly for one stream. */
  assembly(): StreamAssembly;
  /** True when the content of a request looks like this provider's. */
  recognises(content: unknown): boolean;
  /** True when a response looks like this provider's. */
  recognisesResponse(response: unknown): boolean;
}
