/**
 * TracedInstance: an activation of any kind under a relay. It stands before the real one at the port: each call runs in a
 * scope below its caller's, under the guardrails of actions, and what the actor's code does is below that.
 *
 * Without `setup({ relay })` there is none of this: the factories are the kinds' own.
 */
import { TRACEPARENT_HEADER } from "@troupe/protocol";
import type { ActionPayload, Scope } from "@troupe/relay";
import { actorErrors } from "../errors.ts";
import type { ActionCall, ActorInstance, StopReason } from "../ports/instance.ts";
import type { HttpRequestHead, RawRequest } from "../ports/raw.ts";
import { WatchedInstance } from "../watched/watched-instance.ts";
import { CallScope, type ScopeWatch } from "./call-scope.ts";
import { type CallWatch, TracedCall } from "./traced-call.ts";
import { actorFacts, parentOf, type Tracing, traceOfHeader } from "./tracing.ts";

/** An activation whose calls have scopes. */
export class TracedInstance extends WatchedInstance implements CallWatch, ScopeWatch {
  readonly tracing: Tracing;
  readonly #store: { readonly storageMs: number };
  /** Calls that have a scope, and no answer. */
  #open: Set<TracedCall> | undefined;
  /** Scopes of calls that nobody is told of: somebody has asked for them, and may have registered something there. */
  #made: Set<CallScope> | undefined;
  readonly #takesScopes: boolean;
  /** Of the wake that nobody has been told of. */
  #wakeMs: number | undefined;

  constructor(
    instance: ActorInstance,
    tracing: Tracing,
    of: {
      readonly store: { readonly storageMs: number };
      readonly wakeMs: number;
      readonly takesScopes: boolean;
    },
  ) {
    super(instance);
    this.tracing = tracing;
    this.#store = of.store;
    this.#wakeMs = of.wakeMs;
    this.#takesScopes = of.takesScopes;
  }

  get storageMs(): number {
    return this.#store.storageMs;
  }

  override action(call: ActionCall): void {
    const { relay } = this.tracing;
    if (relay.isQuiet && this.#takesScopes && call.send === undefined) {
      this.instance.action(call, new CallScope(this, call));
      return;
    }
    const parent = this.#parentOf(call.trace);
    if (relay.has("action_conditional_execution_guardrail", parent)) void this.#ask(call, parent);
    else this.#begin(call, parent);
  }

  left(call: TracedCall): void {
    this.#open?.delete(call);
  }

  made(scope: CallScope): void {
    this.#made ??= new Set();
    this.#made.add(scope);
  }

  ended(scope: CallScope): void {
    this.#made?.delete(scope);
  }

  override open(request: RawRequest): void {
    const trace = request.kind === "http" ? traceOfHead(request.head) : undefined;
    if (trace === undefined) this.instance.open(request);
    else this.tracing.relay.withScopeStack(this.#parentOf(trace), () => this.instance.open(request));
  }

  /** What a client says of its trace goes before what goes on here, which is nothing where a client calls. */
  #parentOf(trace: string | undefined): Scope {
    const { relay } = this.tracing;
    return trace === undefined ? relay.getHandle() : parentOf(relay, trace);
  }

  /** A call that may not happen is answered at once: it has written nothing that its answer could tell of. Never rejects. */
  async #ask(call: ActionCall, parent: Scope): Promise<void> {
    const { name: actor, id: actorId, key } = this.record;
    const { name: action, args } = call;
    const payload: ActionPayload = { actor, actorId, key, action, args, message: call.send !== undefined };
    try {
      await this.tracing.relay.actionConditionalExecution(payload, { parent });
    } catch (error) {
      call.reply.error(error).release();
      return;
    }
    this.#begin(call, parent);
  }

  #begin(call: ActionCall, parent: Scope): void {
    const { relay, payloads } = this.tracing;
    const told = relay.isHeard(parent);
    const name = `${this.record.name}.${call.name}`;
    const scope = told
      ? relay.pushScope(name, "function", {
          parent,
          input: payloads ? call.args : undefined,
          metadata: actorFacts(this.record, call.send === undefined ? "action" : "send"),
        })
      : relay.pushScope(name, "function", { parent });
    const traced = new TracedCall(call, this, { scope, told, wakeMs: told ? this.#wakeMs : undefined });
    this.#open ??= new Set();
    this.#open.add(traced);
    if (told) this.#wakeMs = undefined;
    relay.withScopeStack(scope, () => this.instance.action(traced));
  }

  protected override async stopOnce(reason: StopReason): Promise<void> {
    await this.instance.stop(reason);
    // Whoever is left has no answer, and gets none: its client was told by the end of its connection.
    for (const call of [...(this.#open ?? [])]) call.left(actorErrors.stopped(this.record.id));
    for (const scope of [...(this.#made ?? [])]) scope.end();
  }
}

/** The trace that a raw request is a part of. */
function traceOfHead({ headers }: HttpRequestHead): string | undefined {
  const given = headers.find(([name]) => name.toLowerCase() === TRACEPARENT_HEADER);
  return traceOfHeader(given?.[1]);
}
