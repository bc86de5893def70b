/**
 * CallRun: one call that runs here, as the runtime sees it; `context` is what user code sees of it.
 *
 * It follows the call's code through every await, and says to the calls that are made there whose they are: until when they
 * are waited for, which entries of serial actors they are a part of, and that nobody waits any more.
 */
import type { ActionScope, ActorConnection } from "../../ports/instance.ts";
import type { Abandoned, CallChain, RunningCall } from "../../ports/running-call.ts";
import type { SqlChain } from "../../sql/chain.ts";
import type { Conn } from "../types/context.ts";
import type { Activation } from "./activation.ts";
import type { Running } from "./activation-services.ts";
import { Connection } from "./connection.ts";
import { CallContext, releaseContext } from "./context.ts";
import type { Entry } from "./entries.ts";
import type { Borrower } from "./state-loans.ts";

/** Who calls. */
export interface Caller {
  readonly connection?: ActorConnection | undefined;
  readonly params?: unknown;
  readonly request?: (() => Request) | undefined;
  /** When the caller gives up, monotonic. */
  readonly until?: number | undefined;
  readonly chain?: CallChain | undefined;
  readonly depth?: number | undefined;
  readonly trace?: string | undefined;
}

/** What the call runs in. */
export interface CallPlace {
  /** Its place among the entries of a serial actor. */
  readonly entry?: Entry | undefined;
  /** Absent where whoever brought it here has made its scope, or there is none. */
  readonly scope?: ActionScope | undefined;
}

/** One call that runs. */
export class CallRun implements Running, RunningCall, Borrower {
  readonly activation: Activation;
  readonly context: CallContext;
  /** Its place among the entries of a serial actor. */
  readonly entry: Entry | undefined;
  readonly scope: ActionScope | undefined;
  /** Set when its result comes in pieces, of an actor with a database. */
  flow: SqlChain | undefined;
  readonly #caller: Caller;
  #abort: AbortController | undefined;
  #abandoned: { readonly reason: unknown } | undefined;
  #listeners: Set<Abandoned> | undefined;
  #released = false;
  #ends: (() => void)[] | undefined;
  /** Itself, and what it leaves to go on behind its end. */
  #goingOn = 1;
  #held: Set<() => void> | undefined;
  #conn: Conn | undefined;

  constructor(activation: Activation, caller: Caller, place: CallPlace = {}) {
    this.activation = activation;
    this.entry = place.entry;
    this.scope = place.scope;
    this.#caller = caller;
    this.context = new CallContext(this);
  }

  get call(): RunningCall {
    return this;
  }

  get until(): number | undefined {
    return this.#released ? undefined : this.#caller.until;
  }

  get chain(): CallChain | undefined {
    return this.entry?.chain ?? this.#caller.chain;
  }

  get depth(): number | undefined {
    return this.#caller.depth;
  }

  get trace(): string | undefined {
    return this.#caller.trace;
  }

  get conn(): Conn {
    if (this.#conn !== undefined) return this.#conn;
    const connection = this.#caller.connection;
    if (connection instanceof Connection) return connection.conn;
    this.#conn = this.activation.connections.stateless(this.#caller.params).conn;
    return this.#conn;
  }

  get request(): Request | undefined {
    return this.#caller.request?.();
  }

  get abortSignal(): AbortSignal {
    if (this.#abort === undefined) {
      this.#abort = new AbortController();
      if (this.#abandoned !== undefined) this.#abort.abort(this.#abandoned.reason);
      else if (!this.#released) this.activation.abort.follow(this.#abort);
    }
    return this.#abort.signal;
  }

  /** True when nobody waits for it any more. */
  get aborted(): boolean {
    return this.#abandoned !== undefined;
  }

  onAbandoned(listener: Abandoned): () => void {
    if (this.#abandoned !== undefined) listener(this.#abandoned.reason);
    else if (!this.#released) {
      this.#listeners ??= new Set();
      this.#listeners.add(listener);
    }
    return () => this.#listeners?.delete(listener);
  }

  /** The connection that a stateless call was given. */
  connected(connection: Connection): void {
    this.#conn = connection.conn;
  }

  /** Nobody waits for the call any more, or it took too long: what it still writes counts. */
  abandon(reason: unknown): void {
    if (this.#abandoned !== undefined || this.#released) return;
    this.#abandoned = { reason };
    this.#abort?.abort(reason);
    for (const listener of this.#listeners ?? []) listener(reason);
    this.#listeners = undefined;
  }

  /** True when the call has ended. */
  get released(): boolean {
    return this.#released;
  }

  atEnd(end: () => void): void {
    this.#ends ??= [];
    this.#ends.push(end);
  }

  /** It has left this to go on behind its end. */
  leaves(work: Promise<unknown>): void {
    this.#goingOn += 1;
    void work.catch(() => {}).then(() => this.#ended());
  }

  /** Calls `end` when it has ended with all that it left behind; not when it has by now. Returns what undoes it. */
  hold(end: () => void): () => void {
    this.#held ??= new Set();
    const held = this.#held;
    held.add(end);
    return () => held.delete(end);
  }

  #ended(): void {
    this.#goingOn -= 1;
    if (this.#goingOn === 0) for (const end of this.#held ?? []) end();
  }

  /** Its code has returned: what it assigned is its own no longer. Throws when what it wrote there can't be stored. */
  returned(): void {
    const ends = this.#ends;
    this.#ends = undefined;
    for (const end of ends ?? []) end();
  }

  /** The call has ended. */
  release(): void {
    try {
      this.returned();
    } catch (cause) {
      this.activation.log.error("what was written to the state can't be stored", { cause });
    }
    releaseContext(this.context, false);
    if (!this.#released) this.#ended();
    this.#released = true;
    this.#listeners = undefined;
    if (this.#abort !== undefined) this.activation.abort.unfollow(this.#abort);
    this.scope?.end();
  }
}
