/**
 * Relay: scopes, middleware, events and subscribers around the calls of tools and models.
 *
 * Everything hangs on one object: two relays in a process share nothing. It knows no actor and no transport, and takes
 * clock, ids and async context from its `Env`. Where nobody listens and nothing is registered, a managed call costs
 * little more than a scope.
 */
import type { AsyncVariable } from "@troupe/base";
import type { CallOptions, CallParts } from "./calls/call-parts.ts";
import {
  askActionGuardrails,
  askLlmGuardrails,
  askToolGuardrails,
  rewriteLlmRequest,
  rewriteToolRequest,
} from "./calls/chain-runs.ts";
import { type LlmFunction, llmCall } from "./calls/llm-call.ts";
import type { LlmCallOptions } from "./calls/llm-scope.ts";
import type { LlmStream } from "./calls/llm-stream.ts";
import { type LlmStreamOptions, llmStreamCall } from "./calls/llm-stream-call.ts";
import {
  beginLlm,
  beginTool,
  endLlm,
  endTool,
  type ManualEnd,
  type ManualLlmOptions,
  type ManualToolOptions,
} from "./calls/manual-call.ts";
import type { LlmStreamFunction } from "./calls/stream-chain.ts";
import { type ToolCallOptions, type ToolFunction, toolCall } from "./calls/tool-call.ts";
import { askToolElsewhere, type ElsewhereOptions } from "./calls/tool-elsewhere.ts";
import type { RelayEnv } from "./env.ts";
import { relayErrors } from "./errors.ts";
import type { Metadata, PendingMark } from "./events/event.ts";
import type { Later } from "./events/later.ts";
import { type Measurement, metricData, metricSchema } from "./events/metric.ts";
import { Pipeline } from "./events/pipeline.ts";
import { Recorder } from "./events/recorder.ts";
import { checkFunction, checkMetadata, checkReadable, checkText, checkTexts } from "./given.ts";
import { isMiddlewareKind, type MiddlewareKind } from "./middleware/kinds.ts";
import type { ActionPayload, LlmRequest, ToolExecutionResult } from "./middleware/payloads.ts";
import type { Registration, RegistrationRequest } from "./middleware/registration.ts";
import { type RegistrationFunctions, registrationFunctions } from "./middleware/registration-functions.ts";
import { type RegistrationIdentity, Registry } from "./middleware/registry.ts";
import type { LazyScope } from "./scope/places.ts";
import { type PropagationContext, propagationContextToTraceparent } from "./scope/propagation.ts";
import type { Scope } from "./scope/scope.ts";
import type { ScopeType } from "./scope/scope-type.ts";
import { type ScopeOptions, Scopes } from "./scope/scopes.ts";
import type { SubscriberFigures } from "./subscribers/subscriber-queue.ts";

/** What may be said of a scope that is about to begin. */
export interface BeginOptions extends ScopeOptions {
  /** The start event's data. */
  readonly input?: unknown;
}

/** What may be said of a scope that ends. */
export interface PopOptions {
  /** The end event's data. */
  readonly output?: unknown;
  /** Over the scope's own. */
  readonly metadata?: Metadata;
  /** It failed with this: the end event says so. Default: it says nothing of how it went. */
  readonly error?: unknown;
}

/** What may be said of a mark beside its name. */
export interface EventOptions extends Omit<PendingMark, "name"> {
  /** The scope that it is about. Default: the current one. */
  readonly parent?: Scope;
}

/** A subscriber and what became of its events. */
export interface SubscriberStatus extends SubscriberFigures {
  readonly name: string;
}

/** A relay: its own calls, and the registration functions of all kinds. */
export type Relay = RelayCore & RegistrationFunctions;

/** The relay's own calls. */
export class RelayCore {
  readonly #parts: CallParts;
  readonly #pipeline: Pipeline;

  constructor(env: RelayEnv) {
    checkReadable(env, "env");
    checkReadable(env.asyncContext, "env.asyncContext");
    const scopes = new Scopes(env);
    const later: Later = (worker, task) => env.afterTurn(() => scopes.outside(worker, task));
    const registry = new Registry(env, scopes, later);
    this.#pipeline = new Pipeline(env, later);
    this.#parts = { env, scopes, registry, recorder: new Recorder(env, registry, this.#pipeline) };
  }

  /** The current scope; the root where nothing is going on. */
  getHandle(): Scope {
    return this.#parts.scopes.current;
  }

  /**
   * Runs `fn` in a scope of its own and ends it when `fn` has settled. The end event says how it went; errors pass through.
   */
  async withScope<T>(
    name: string,
    scopeType: ScopeType,
    fn: (scope: Scope) => T | PromiseLike<T>,
    options: BeginOptions = {},
  ): Promise<T> {
    checkFunction(fn, "fn");
    const { scopes, recorder } = this.#parts;
    const scope = this.pushScope(name, scopeType, options);
    try {
      const answer = await scopes.run(scope, () => fn(scope));
      if (scopes.isOpen(scope)) recorder.succeeded(scope, {});
      return answer;
    } catch (error) {
      if (scopes.isOpen(scope)) recorder.failed(scope, error);
      throw error;
    } finally {
      this.#end(scope);
    }
  }

  /**
   * Begins a scope that `popScope` ends. It isn't the current one of anybody: give it as `parent`, or use `withScopeStack`.
   * Default parent: the current scope.
   */
  pushScope(name: string, scopeType: ScopeType, options: BeginOptions = {}): Scope {
    const { scopes, recorder } = this.#parts;
    const scope = scopes.open(name, scopeType, options);
    recorder.start(scope, options.input);
    return scope;
  }

  /** Ends a scope, in any order. Throws `relay.scope_ended`, `relay.root_scope` or `relay.foreign_scope`. */
  popScope(scope: Scope, options: PopOptions = {}): void {
    checkReadable(options);
    checkMetadata(options.metadata);
    this.#parts.scopes.checkEnd(scope);
    // What stands for another process' scope has its events there.
    if (scope.parent !== undefined) {
      if (options.error === undefined) this.#parts.recorder.end(scope, options);
      else this.#parts.recorder.failed(scope, options.error, options);
    }
    this.#end(scope);
  }

  /** True until it has ended. Throws `relay.foreign_scope`. */
  isOpen(scope: Scope): boolean {
    const { scopes } = this.#parts;
    return scopes.isOpen(scopes.own(scope));
  }

  /**
   * Runs `fn`, and all that it awaits or starts, with `scope` as the current one. It nests, and what was current before is
   * so again, also when `fn` throws.
   */
  withScopeStack<R>(scope: Scope, fn: () => R): R {
    checkFunction(fn, "fn");
    const { scopes } = this.#parts;
    return scopes.run(scopes.own(scope), fn);
  }

  /** A root of its own, for `withScopeStack`: work in it belongs to nothing that goes on now. No event is about it. */
  createScopeStack(): Scope {
    return this.#parts.scopes.stack();
  }

  /** Emits a mark: something happened. */
  event(name: string, options: EventOptions = {}): void {
    checkText(name, "name");
    checkReadable(options);
    checkMetadata(options.metadata);
    const { scopes, recorder } = this.#parts;
    recorder.mark(scopes.own(options.parent), { ...options, name });
  }

  /** Emits a metric mark. Throws `relay.measurement_invalid`; then none of the measurements is told. */
  metric(
    name: string,
    measurements: readonly Measurement[],
    options: Pick<EventOptions, "parent" | "metadata"> = {},
  ): void {
    checkReadable(options);
    this.event(name, { ...options, data: metricData(measurements), dataSchema: metricSchema });
  }

  /** Where work belongs that leaves this process now. Undefined at the root: nowhere. */
  capturePropagationContext(scope?: Scope): PropagationContext | undefined {
    const { scopes } = this.#parts;
    return scopes.capture(scopes.own(scope));
  }

  /** The W3C `traceparent` of the current scope. Undefined at the root. */
  captureTraceparent(scope?: Scope): string | undefined {
    const context = this.capturePropagationContext(scope);
    return context === undefined ? undefined : propagationContextToTraceparent(context);
  }

  /**
   * A scope that stands for one of another process, for `withScopeStack` or as a parent. No event is about it; registrations
   * don't travel. End it with `popScope` when something was registered in it. Throws `relay.propagation_malformed`.
   */
  createScopeFromPropagation(context: PropagationContext): Scope {
    return this.#parts.scopes.restore(context);
  }

  /**
   * Calls a tool under all middleware that is visible. Throws `relay.guardrail_rejected`, `relay.middleware_failed`,
   * `relay.aborted`, `relay.changed_meanwhile`, `relay.bad_answer`, or what the tool throws.
   */
  toolCallExecute(
    name: string,
    args: unknown,
    fn: ToolFunction,
    options: ToolCallOptions = {},
  ): Promise<ToolExecutionResult> {
    return toolCall(this.#parts, { name, args, fn }, options);
  }

  /** Calls a model whose response comes in one piece, as `toolCallExecute`. */
  llmCallExecute(
    name: string,
    request: LlmRequest,
    fn: LlmFunction,
    options: LlmCallOptions = {},
  ): Promise<unknown> {
    return llmCall(this.#parts, { name, request, fn }, options);
  }

  /**
   * Calls a model whose response comes in chunks: read them with `for await`. The call goes on until their end was read, or
   * the stream was closed. Throws as `toolCallExecute`; the chunks' own errors come out of the stream.
   */
  llmStreamCallExecute(
    name: string,
    request: LlmRequest,
    fn: LlmStreamFunction,
    options: LlmStreamOptions = {},
  ): Promise<LlmStream> {
    return llmStreamCall(this.#parts, { name, request, fn }, options);
  }

  /** A tool is called, by somebody who says so: `toolCallEnd` ends it. Nobody is asked and nothing rewritten. */
  toolCall(name: string, args: unknown, options: ManualToolOptions = {}): Scope {
    return beginTool(this.#parts, { name, args }, options);
  }

  /** The tool of `toolCall` has answered. Throws `relay.scope_ended`, `relay.foreign_scope`. */
  toolCallEnd(scope: Scope, result: ToolExecutionResult, end: ManualEnd = {}): void {
    endTool(this.#parts, scope, result, end);
  }

  /** A model is called, by somebody who says so: `llmCallEnd` ends it. */
  llmCall(name: string, request: LlmRequest, options: ManualLlmOptions = {}): Scope {
    return beginLlm(this.#parts, { name, request }, options);
  }

  /** The model of `llmCall` has answered. Throws `relay.scope_ended`, `relay.foreign_scope`. */
  llmCallEnd(scope: Scope, response: unknown, end: ManualEnd = {}): void {
    endLlm(this.#parts, scope, response, end);
  }

  /** Asks the guardrails of tools alone. Throws what they refuse with. */
  toolConditionalExecution(name: string, args: unknown, options: CallOptions = {}): Promise<void> {
    return askToolGuardrails(this.#parts, name, args, options);
  }

  /** Runs the request intercepts of tools alone: the arguments that the tool would get. */
  toolRequestIntercepts(name: string, args: unknown, options: CallOptions = {}): Promise<unknown> {
    return rewriteToolRequest(this.#parts, name, args, options);
  }

  /**
   * Asks all that stands in front of a tool that runs elsewhere, execution intercepts as far as their `next`: the arguments that it is to
   * run with. Throws what they refuse with, and `relay.answered_in_place` where one answers in the tool's place.
   */
  toolCallElsewhere(name: string, args: unknown, options: ElsewhereOptions = {}): Promise<unknown> {
    return askToolElsewhere(this.#parts, name, args, options);
  }

  /** Asks the guardrails of models alone. Throws what they refuse with. */
  llmConditionalExecution(name: string, request: LlmRequest, options: CallOptions = {}): Promise<void> {
    return askLlmGuardrails(this.#parts, name, request, options);
  }

  /** Runs the request intercepts of models alone: the request that the provider would get. */
  llmRequestIntercepts(
    name: string,
    request: LlmRequest,
    options: Pick<LlmCallOptions, "codec"> & CallOptions = {},
  ): Promise<LlmRequest> {
    return rewriteLlmRequest(this.#parts, name, request, options);
  }

  /** Asks the guardrails of actions: whoever runs actors does, before one begins. Throws what they refuse with. */
  actionConditionalExecution(payload: ActionPayload, options: CallOptions = {}): Promise<void> {
    return askActionGuardrails(this.#parts, payload, options);
  }

  /** True when somebody would hear of what happens in `scope`. Default: the current one. */
  isHeard(scope?: Scope): boolean {
    const { scopes, recorder } = this.#parts;
    return recorder.heard(scopes.own(scope));
  }

  /** True when a guardrail or an intercept of that kind is visible from `scope`. Default: the current one. */
  has(kind: MiddlewareKind, scope?: Scope): boolean {
    if (!isMiddlewareKind(kind)) throw relayErrors.kindUnknown(kind);
    const { scopes, registry } = this.#parts;
    return registry.chainsAt(scopes.own(scope)).of(kind).length > 0;
  }

  /**
   * True when no event of an action would reach anybody, and nothing would refuse one: no subscriber and no guardrail of
   * actions is there, and nothing is registered in any scope. Whoever runs actors may then leave their scopes unmade.
   */
  get isQuiet(): boolean {
    return this.#parts.registry.isQuiet;
  }

  /** As `getHandle`, for who may never need it: a scope that nobody has asked for yet isn't made. */
  get here(): Scope | LazyScope {
    return this.#parts.scopes.here;
  }

  /**
   * A variable of whoever runs actors. It follows the async context as one of its own would, and costs nothing beside the
   * current scope. `scopeOf`: the scope that a value brings with it; undefined where the current one stays.
   */
  hostVariable<T>(scopeOf: (value: T) => LazyScope | undefined): AsyncVariable<T> {
    return this.#parts.scopes.kept(scopeOf);
  }

  /**
   * Registers a middleware of any kind. The handler may be asynchronous and may run elsewhere: a plugin's session gets
   * the payload, the signal and, for execution intercepts, `next`. Throws `relay.name_taken` and others.
   */
  register<K extends MiddlewareKind>(request: RegistrationRequest<K>): Registration {
    return this.#parts.registry.register(request);
  }

  /** Takes a registration away by its name, in the place where it was made. False when there is none. */
  deregister(kind: MiddlewareKind, name: string, scope?: Scope): boolean {
    return this.#parts.registry.deregister(kind, name, scope);
  }

  /** Everything that is registered now, or what is of these kinds. */
  listRuntimeRegistrations(kinds?: readonly MiddlewareKind[]): readonly RegistrationIdentity[] {
    checkTexts(kinds, "kinds");
    const all = this.#parts.registry.list();
    return kinds === undefined ? all : all.filter(({ kind }) => kinds.includes(kind));
  }

  /** All subscribers, with what became of their events. */
  subscriberStatus(): readonly SubscriberStatus[] {
    return this.#parts.registry
      .subscribers()
      .flatMap(({ name, queue }) => (queue === undefined ? [] : [{ name, ...queue.figures }]));
  }

  /** Events lost because middleware of events couldn't keep up: no subscriber got them, and each has them in `missed`. */
  get droppedEvents(): number {
    return this.#pipeline.dropped;
  }

  /**
   * Settles when every subscriber, or the one that is `only`, has handled, or lost, all that was emitted before. Throws
   * `relay.flush_in_subscriber` inside a subscriber or a middleware of events: it would wait for itself. A timer that one has
   * left behind may flush, unless its subscriber is at work just then. One that was
   * deregistered in the middle of an event is waited for by those alone who name it.
   */
  async flushSubscribers(only?: Registration): Promise<void> {
    if (this.#parts.scopes.worker?.isBusy === true) throw relayErrors.flushInSubscriber();
    await this.#pipeline.flushed();
    await this.#parts.registry.flushed(only);
  }

  #end(scope: Scope): void {
    this.#parts.scopes.end(scope);
    this.#parts.registry.end(scope);
  }
}

/** A relay on the given platform. */
export function relayOn(env: RelayEnv): Relay {
  const core = new RelayCore(env);
  return Object.assign(core, registrationFunctions(core));
}
