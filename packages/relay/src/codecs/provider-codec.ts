/** What all codecs in the box do alike: check what they get, decode it, and merge edits back. */
import type { StreamCollector } from "../calls/llm-codec.ts";
import { relayErrors } from "../errors.ts";
import { attempt } from "../given.ts";
import type { LlmRequest } from "../middleware/payloads.ts";
import type { AnnotatedLlmRequest, AnnotatedLlmResponse, CodecName } from "./annotated.ts";
import type { ProviderCodec, StreamAssembly } from "./codec.ts";
import { isObject, type JsonObject, number, objectsOf, own, present, text } from "./json.ts";
import { mergeObjects } from "./merge-edits.ts";
import { failureIn } from "./stream-failure.ts";

/** What one provider's codec is made of. All of it is pure. */
export interface ProviderParts {
  readonly name: CodecName;
  readonly readRequest: (content: JsonObject) => AnnotatedLlmRequest;
  /** The original is given for what it alone can say: which of two names a field has. */
  readonly writeRequest: (annotated: AnnotatedLlmRequest, original: JsonObject) => JsonObject;
  readonly readResponse: (response: JsonObject) => AnnotatedLlmResponse;
  /** Of providers that answer with a failure as with anything else. */
  readonly readFailure?: (response: JsonObject) => string | undefined;
  readonly assembly: () => StreamAssembly;
  readonly isRequest: (content: JsonObject) => boolean;
  readonly isResponse: (response: JsonObject) => boolean;
}

/** A codec whose methods may be handed on by themselves. */
export abstract class PartsCodec implements ProviderCodec {
  readonly #parts: ProviderParts;
  readonly name: CodecName;

  constructor(parts: ProviderParts) {
    this.#parts = parts;
    this.name = parts.name;
  }

  readonly decode = (request: LlmRequest): AnnotatedLlmRequest =>
    this.#read("request", this.#parts.readRequest, contentOf(request));

  readonly encode = (annotated: AnnotatedLlmRequest, original: LlmRequest): LlmRequest => {
    const content = this.#read("request", (raw) => this.#merged(annotated, raw), contentOf(original));
    return { ...original, content };
  };

  readonly decodeResponse = (response: unknown): AnnotatedLlmResponse =>
    this.#read("response", this.#parts.readResponse, response);

  readonly failureOf = (response: unknown): string | undefined =>
    attempt(() => (isObject(response) ? this.#parts.readFailure?.(response) : undefined));

  readonly collectStream = (): StreamCollector => {
    const assembly = this.#parts.assembly();
    let said: string | undefined;
    return {
      add: (chunk) =>
        this.#chunk(() => {
          if (isObject(chunk)) said ??= failureIn(chunk);
          assembly.add(chunk);
        }),
      describe: (chunk) => this.#chunk(() => described(this.name, chunk)),
      end: () =>
        this.#chunk(() => {
          const { complete, failure = said } = assembly;
          return { response: assembly.response(), complete, ...(failure === undefined ? {} : { failure }) };
        }),
    };
  };

  recognises(content: unknown): boolean {
    return attempt(() => isObject(content) && this.#parts.isRequest(content)) ?? false;
  }

  recognisesResponse(response: unknown): boolean {
    return attempt(() => isObject(response) && this.#parts.isResponse(response)) ?? false;
  }

  #merged(annotated: AnnotatedLlmRequest, raw: JsonObject): JsonObject {
    const { readRequest, writeRequest } = this.#parts;
    return mergeObjects(raw, writeRequest(readRequest(raw), raw), writeRequest(annotated, raw));
  }

  /** Chunks may be anything, also what can't be read. */
  #chunk<T>(read: () => T): T {
    try {
      return read();
    } catch (cause) {
      throw relayErrors.payloadUnreadable(this.name, "chunk", cause);
    }
  }

  #read<T>(what: string, read: (raw: JsonObject) => T, raw: unknown): T {
    if (!isObject(raw)) throw relayErrors.payloadUnreadable(this.name, what);
    try {
      return read(raw);
    } catch (cause) {
      throw relayErrors.payloadUnreadable(this.name, what, cause);
    }
  }
}

/** Undefined for what is no request: no codec can read that. */
function contentOf(request: LlmRequest | undefined): unknown {
  return attempt(() => request?.content);
}

/** What a chunk is, without what it says. */
function described(provider: CodecName, chunk: unknown): JsonObject {
  if (!isObject(chunk)) return { provider };
  const choices = objectsOf(own(chunk, "choices") ?? own(chunk, "candidates"));
  return present({
    provider,
    event_type: text(own(chunk, "type")) ?? text(own(chunk, "object")),
    choice_indices: choices.length === 0 ? undefined : choices.map((one) => number(own(one, "index")) ?? 0),
  });
}
