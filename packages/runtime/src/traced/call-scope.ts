/**
 * CallScope: the scope of an action that nobody listens to, made when somebody asks for it: the action's own code, a tool
 * that it calls, an actor that it calls and that wants to know its parent.
 *
 * It begins and ends when its call does, also where it is made in between. Who begins to listen in the middle of the call
 * hears of it only when it is made after that, or had been made before and ends then.
 */
import type { LazyScope, Scope } from "@troupe/relay";
import type { ActorRecord } from "../ports/directory.ts";
import type { ActionCall } from "../ports/instance.ts";
import { actorFacts, endScope, parentOf, type Tracing } from "./tracing.ts";

/** The instance that a call came to. */
export interface ScopeWatch {
  readonly tracing: Tracing;
  readonly record: ActorRecord;
  /** Somebody has asked for the scope of a call that has no answer yet. */
  made(scope: CallScope): void;
  /** It has ended. */
  ended(scope: CallScope): void;
}

/** The scope of one call. */
export class CallScope implements LazyScope {
  readonly #watch: ScopeWatch;
  readonly #call: ActionCall;
  /** Where the call came from. */
  readonly #above: Scope | LazyScope;
  #scope: Scope | undefined;
  #ended = false;

  constructor(watch: ScopeWatch, call: ActionCall) {
    this.#watch = watch;
    this.#call = call;
    this.#above = watch.tracing.relay.here;
  }

  get scope(): Scope {
    this.#scope ??= this.#begin();
    return this.#scope;
  }

  /** The call has an answer, or its actor has stopped and it never will. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    if (this.#scope === undefined) return;
    this.#watch.ended(this);
    endScope(this.#watch.tracing.relay, this.#scope);
  }

  #begin(): Scope {
    const { tracing, record } = this.#watch;
    const { relay } = tracing;
    const above = this.#above;
    const { name, trace } = this.#call;
    const scope = relay.pushScope(`${record.name}.${name}`, "function", {
      parent: trace !== undefined ? parentOf(relay, trace) : "scope" in above ? above.scope : above,
      metadata: actorFacts(record, "action"),
    });
    if (this.#ended) endScope(relay, scope);
    else this.#watch.made(this);
    return scope;
  }
}
