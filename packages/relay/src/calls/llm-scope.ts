/** The scope of a managed call of a model, and its events. */
import { relayErrors } from "../errors.ts";
import type { CategoryProfile, Json } from "../events/event.ts";
import type { PayloadCopy } from "../events/pipeline.ts";
import type { Ending } from "../events/recorder.ts";
import { toolCallMarks } from "../events/tool-call-mark.ts";
import type { Chains } from "../middleware/chains.ts";
import type { LlmRequest } from "../middleware/payloads.ts";
import type { Scope } from "../scope/scope.ts";
import type { ScopeAttribute } from "../scope/scope-type.ts";
import type { Call, CallOptions } from "./call-parts.ts";
import type { LlmCodec } from "./llm-codec.ts";
import { type RewrittenRequest, requestWithoutSecrets } from "./llm-request.ts";

/** What may be said of a call of a model. */
export interface LlmCallOptions extends CallOptions {
  readonly modelName?: string;
  /** Reads requests and responses for intercepts and events. Default: none, they see what the provider does. */
  readonly codec?: LlmCodec;
  /** Reads them for events alone: intercepts see, and may change, what the provider does. Default: the codec. */
  readonly eventCodec?: LlmCodec;
  /** What events tell of the request: "headers" leaves its content out, as `null`. Default: "whole". */
  readonly requestInEvents?: "whole" | "headers";
}

/** A model's scope, open. */
export class LlmScope {
  readonly scope: Scope;
  readonly #call: Call;
  readonly #codec: LlmCodec | undefined;

  /** Opens it, and emits the start event and the marks that intercepts asked for. */
  constructor(
    call: Call,
    options: LlmCallOptions,
    { request, pendingMarks }: RewrittenRequest,
    streams = noStream,
  ) {
    const { parts, chains, name, parent } = call;
    this.#call = call;
    this.#codec = options.eventCodec ?? options.codec;
    const profile = options.modelName === undefined ? {} : { model_name: options.modelName };
    const attributes =
      streams.length === 0 ? options.attributes : [...streams, ...(options.attributes ?? [])];
    this.scope = parts.scopes.open(name, "llm", {
      ...options,
      parent,
      categoryProfile: profile,
      ...(attributes === undefined ? {} : { attributes }),
    });
    if (!parts.recorder.heard(this.scope)) return;
    const copy = this.#copy("llm_sanitize_request_guardrail", "annotated_request", (codec, value) =>
      codec.decode(requestOf(value)),
    );
    const told = options.requestInEvents === "headers" ? { ...request, content: null } : request;
    parts.recorder.start(this.scope, requestWithoutSecrets(told), { chains, copy });
    for (const mark of pendingMarks) parts.recorder.mark(this.scope, mark, { chains });
  }

  /** The middleware that the call began with. */
  get chains(): Chains {
    return this.#call.chains;
  }

  /** The provider answered, in one piece: perhaps that it gave up, which the caller reads there. */
  answered(output: unknown): void {
    const failure = this.#tells ? this.#codec?.failureOf?.(output) : undefined;
    if (failure === undefined) this.succeeded(output);
    else this.failed(relayErrors.providerFailed(this.#call.name, failure), { output });
  }

  /** It went well. */
  succeeded(output: unknown, profile: CategoryProfile = {}): void {
    if (this.#tells) this.#call.parts.recorder.succeeded(this.scope, { ...this.#ending(), output, profile });
  }

  /** It didn't. `partial`: what of it there was, and what is told of it. */
  failed(
    error: unknown,
    partial: { readonly output?: unknown; readonly profile?: CategoryProfile } = {},
  ): void {
    if (this.#tells) this.#call.parts.recorder.failed(this.scope, error, { ...this.#ending(), ...partial });
  }

  /** Ends the scope, behind its end event. */
  end(): void {
    const { scopes, registry } = this.#call.parts;
    scopes.end(this.scope);
    registry.end(this.scope);
  }

  /** False where nobody listens, and where somebody else has ended the scope: it has its end event. */
  get #tells(): boolean {
    const { recorder, scopes } = this.#call.parts;
    return recorder.heard(this.scope) && scopes.isOpen(this.scope);
  }

  /** What both endings have: without a codec nothing is known of the tools that the response asks for. */
  #ending(): Ending {
    const copy = this.#copy("llm_sanitize_response_guardrail", "annotated_response", (codec, value) =>
      codec.decodeResponse(value),
    );
    const { chains } = this.#call;
    return copy.annotate === undefined ? { chains, copy } : { chains, copy, marks: toolCallMarks };
  }

  #copy(kind: PayloadCopy["entries"][number]["kind"], key: string, read: Read): PayloadCopy {
    const { chains, name } = this.#call;
    const codec = this.#codec;
    const entries = chains.of(kind);
    if (codec === undefined) return { entries, name };
    return {
      entries,
      name,
      annotate: { key, read: (value) => (value === null ? undefined : read(codec, value)) },
    };
  }
}

const noStream: readonly ScopeAttribute[] = [];

type Read = (codec: LlmCodec, value: Json) => unknown;

function requestOf(value: Json): LlmRequest {
  const { headers, content } = Object(value);
  return { headers: headers ?? {}, content };
}
