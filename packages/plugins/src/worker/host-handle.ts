/**
 * What a plugin in TypeScript asks of its host: of the relay, in whose scope a call of its middleware runs.
 *
 * Each needs a capability of the plugin's manifest; without it, it is refused with `plugin.not_allowed`.
 */
import {
  decodePayload,
  encodePayload,
  fromCarriedError,
  LogLevel,
  type PayloadEncoding,
} from "@troupe/protocol/actor/v1";
import { HostAsk, type HostResult, type PluginFrame } from "@troupe/protocol/plugin/v1";
import type {
  AnnotatedLlmRequest,
  AnnotatedLlmResponse,
  CategoryProfile,
  CodecName,
  GateTarget,
  LlmRequest,
  Measurement,
  Metadata,
  MiddlewareKind,
  PendingMark,
  PropagationContext,
  RegistrationIdentity,
  Scope,
  ScopeAttribute,
  ScopeType,
  SubscriberStatus,
} from "@troupe/relay";
import { propagationContextFromJson } from "@troupe/relay";
import { pluginErrors } from "../errors.ts";
import { type LentCode, type LentContext, nameOf } from "./relay-elsewhere.ts";

/** A scope of the host's relay that the plugin made. */
export interface HostScope {
  /** Names it to the host. */
  readonly id: string;
  /** For what the plugin does elsewhere. Undefined: a root, where nothing belongs to anything. */
  readonly propagation: PropagationContext | undefined;
}

/** Which scope something is about: one that the plugin made, or `c.scope` of its actor's; else `plugin.scope_unknown`. Default: that of the call that it is asked in. */
export interface InScope {
  readonly scope?: HostScope | Scope;
}

/** What may be said of a scope that is pushed. */
export interface HostScopeOptions extends InScope {
  readonly input?: unknown;
  readonly metadata?: Metadata;
  readonly attributes?: readonly ScopeAttribute[];
  /** Needs `subtype` for scopes of type "custom". */
  readonly categoryProfile?: CategoryProfile;
}

/** What may be said of a scope that is popped. */
export interface HostPopOptions {
  readonly output?: unknown;
  readonly metadata?: Metadata;
  /** It failed with this. */
  readonly error?: unknown;
}

/** What the host's relay lost, and whom it waits for. */
export interface HostDiagnostics {
  readonly droppedEvents: number;
  readonly subscribers: readonly SubscriberStatus[];
}

/**
 * The host, in one call of a middleware or in the plugin as a whole. Promises reject with the host's own error; nobody has to
 * wait for those of nothing.
 */
export class HostHandle {
  readonly #questions: HostLink;
  readonly #invoke: number;

  constructor(questions: HostLink, invoke: number) {
    this.#questions = questions;
    this.#invoke = invoke;
  }

  /** Something happened. */
  mark(name: string, options: Omit<PendingMark, "name"> & InScope = {}): Promise<void> {
    return this.#tell(HostAsk.MARK, { name, ...placed(options) });
  }

  /** Measurements, all of them or none: `relay.measurement_invalid`. */
  metric(
    name: string,
    measurements: readonly Measurement[],
    options: { readonly metadata?: Metadata } & InScope = {},
  ): Promise<void> {
    return this.#tell(HostAsk.METRIC, { name, measurements, ...placed(options) });
  }

  /**
   * Begins a scope. One that isn't popped ends with the call that it was pushed in, or with the plugin, and its end says so.
   * Rejects with `plugin.too_many_scopes`.
   */
  async pushScope(name: string, scopeType: ScopeType, options: HostScopeOptions = {}): Promise<HostScope> {
    return scopeOf(await this.#ask(HostAsk.PUSH_SCOPE, { name, scopeType, ...placed(options) }));
  }

  /** Ends a scope, in any order. Rejects with `plugin.scope_unknown`. */
  popScope(scope: HostScope, options: HostPopOptions = {}): Promise<void> {
    const { error, ...rest } = options;
    // Whatever was thrown: an Error crosses, and anything else in its words.
    const failed = error === undefined ? {} : { error: error instanceof Error ? error : String(error) };
    return this.#tell(HostAsk.POP_SCOPE, { ...rest, ...failed, scope: scope.id });
  }

  /** A stand-in for a scope, or a root of its own: a parent for work that goes on beside. No event is about it. */
  async forkScope(of?: HostScope | Scope): Promise<HostScope> {
    return scopeOf(await this.#ask(HostAsk.FORK_SCOPE, placed(of === undefined ? {} : { scope: of })));
  }

  /** Ends a fork. Rejects with `plugin.scope_unknown`. */
  dropScope(fork: HostScope): Promise<void> {
    return this.#tell(HostAsk.DROP_SCOPE, { scope: fork.id });
  }

  /** What a request says, in every provider's words. Default codec: the one that it looks like. */
  async decodeRequest(request: LlmRequest, codec?: CodecName): Promise<AnnotatedLlmRequest> {
    return (await this.#ask(HostAsk.DECODE, { request, codec })) as AnnotatedLlmRequest;
  }

  /** What a response says. */
  async decodeResponse(response: unknown, codec?: CodecName): Promise<AnnotatedLlmResponse> {
    return (await this.#ask(HostAsk.DECODE, { response, codec })) as AnnotatedLlmResponse;
  }

  /** The original with what `annotated` says otherwise. */
  async encodeRequest(
    annotated: AnnotatedLlmRequest,
    original: LlmRequest,
    codec?: CodecName,
  ): Promise<LlmRequest> {
    return (await this.#ask(HostAsk.ENCODE, { annotated, original, codec })) as LlmRequest;
  }

  /** Everything that is registered with the host's relay, or what is of these kinds. */
  async listRegistrations(kinds?: readonly MiddlewareKind[]): Promise<readonly RegistrationIdentity[]> {
    return (await this.#ask(HostAsk.LIST_REGISTRATIONS, { kinds })) as readonly RegistrationIdentity[];
  }

  /** What became of the relay's events. */
  async diagnostics(): Promise<HostDiagnostics> {
    return (await this.#ask(HostAsk.DIAGNOSTICS, {})) as HostDiagnostics;
  }

  /**
   * Leaves registrations out, for that reason, until `openGate` or the end of the plugin. The host keeps the gate, for gates
   * answer in the turn in which they are asked.
   */
  closeGate(name: string, about: GateTarget, reason: string): Promise<void> {
    return this.#tell(HostAsk.SET_GATE, { name, about, reason });
  }

  /** What the gate left out takes part again. One that isn't there is no error. */
  openGate(name: string): Promise<void> {
    return this.#tell(HostAsk.SET_GATE, { name });
  }

  /** A line of the host's log. Needs no capability. */
  log(level: "debug" | "info" | "warn" | "error", message: string): void {
    this.#questions.log(levels[level], message);
  }

  #ask(ask: HostAsk, input: object): Promise<unknown> {
    return this.#questions.ask({ ask, invoke: this.#invoke, input });
  }

  #tell(ask: HostAsk, input: object): Promise<void> {
    const told = this.#ask(ask, input).then(() => {});
    // Whoever doesn't wait for it isn't ended by it either.
    told.catch(() => {});
    return told;
  }
}

const levels = { debug: LogLevel.DEBUG, info: LogLevel.INFO, warn: LogLevel.WARN, error: LogLevel.ERROR };

/** `scope` as the host knows it. */
function placed<T extends InScope>({ scope, ...options }: T): object {
  return scope === undefined ? options : { ...options, scope: "id" in scope ? scope.id : nameOf(scope) };
}

function scopeOf(answer: unknown): HostScope {
  const { scope, propagation } = answer as { readonly scope: string; readonly propagation: string | null };
  return {
    id: scope,
    propagation: propagation === null ? undefined : propagationContextFromJson(propagation),
  };
}

interface Question {
  readonly ask: HostAsk;
  readonly invoke: number;
  readonly input: object;
  /** What the host may call before it answers. */
  readonly code?: LentCode;
}

interface Waiting {
  readonly code: LentCode | undefined;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** The questions of one session, at the plugin's end. */
export class HostLink {
  readonly #encoding: PayloadEncoding;
  readonly #send: (frame: PluginFrame) => void;
  readonly #waiting = new Map<number, Waiting>();
  #last = 0;
  #ended = false;

  constructor(encoding: PayloadEncoding, send: (frame: PluginFrame) => void) {
    this.#encoding = encoding;
    this.#send = send;
  }

  async ask(question: Question): Promise<unknown> {
    return await this.open(question).answer;
  }

  /** As `ask`, for who wants the question's number. Throws `plugin.closed`, `value.*`. */
  open({ ask, invoke, input, code }: Question): { readonly call: number; readonly answer: Promise<unknown> } {
    if (this.#ended) throw pluginErrors.closed();
    const payload = encodePayload(input, this.#encoding, "asked");
    const { promise: answer, resolve, reject } = Promise.withResolvers<unknown>();
    this.#last += 1;
    const call = this.#last;
    this.#waiting.set(call, { code, resolve, reject });
    this.#send({ body: { $case: "hostCall", value: { call, invoke, ask, payload } } });
    return { call, answer };
  }

  /** The host calls the code of a question that is open. Throws `plugin.undeclared`. */
  run(question: string, input: unknown, context: LentContext): unknown {
    const code = this.#waiting.get(Number(question))?.code;
    if (code === undefined) throw pluginErrors.undeclared(`code for question ${question}`, []);
    return code(input, context);
  }

  /** A question that has no answer: what doesn't happen is for the host's log. */
  tell(ask: HostAsk, input: object): void {
    const payload = encodePayload(input, this.#encoding, "told");
    this.#send({ body: { $case: "hostCall", value: { call: 0, invoke: 0, ask, payload } } });
  }

  log(level: LogLevel, message: string): void {
    this.#send({ body: { $case: "log", value: { line: { level, message } } } });
  }

  heard({ call, payload, error }: HostResult): void {
    const waiting = this.#waiting.get(call);
    if (waiting === undefined) return;
    this.#waiting.delete(call);
    if (error !== undefined) waiting.reject(fromCarriedError(error, this.#encoding));
    else waiting.resolve(decodePayload(payload, this.#encoding));
  }

  /** The host is gone: nobody answers. */
  ended(): void {
    this.#ended = true;
    for (const { reject } of this.#waiting.values()) reject(pluginErrors.closed());
    this.#waiting.clear();
  }
}
