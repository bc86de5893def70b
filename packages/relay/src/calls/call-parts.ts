/** What managed calls of tools and models have in common. */
import type { RelayEnv } from "../env.ts";
import { relayErrors } from "../errors.ts";
import type { Metadata } from "../events/event.ts";
import type { Recorder } from "../events/recorder.ts";
import { checkReadable, checkSignal, checkText, checkTexts } from "../given.ts";
import type { Chains } from "../middleware/chains.ts";
import { Invocation } from "../middleware/invocation.ts";
import type { MiddlewareContext } from "../middleware/registration.ts";
import type { Registry } from "../middleware/registry.ts";
import type { Scope } from "../scope/scope.ts";
import type { ScopeAttribute } from "../scope/scope-type.ts";
import type { Scopes } from "../scope/scopes.ts";

/** The parts of a relay that a call works with. */
export interface CallParts {
  readonly env: RelayEnv;
  readonly scopes: Scopes;
  readonly registry: Registry;
  readonly recorder: Recorder;
}

/** What may be said of a call. */
export interface CallOptions {
  /** Default: the current scope. */
  readonly parent?: Scope;
  readonly attributes?: readonly ScopeAttribute[];
  /** The program's own, kept on the handle. */
  readonly data?: unknown;
  /** Added to both events. */
  readonly metadata?: Metadata;
  /** The caller gives up: the call rejects with `relay.aborted`, and everything in it is told. */
  readonly signal?: AbortSignal;
}

/** What the tool or the provider gets beside its arguments. */
export interface CallContext extends MiddlewareContext {
  /** The call's scope: it is the current one as well. */
  readonly scope: Scope;
}

/** One call that is going on. */
export interface Call {
  readonly parts: CallParts;
  /** Of the tool or model. */
  readonly name: string;
  readonly parent: Scope;
  /** All middleware but subscribers, as it was when the call began. */
  readonly chains: Chains;
  readonly root: Invocation;
}

/** Throws `relay.option_invalid` for what no call can be made with. */
export function checkCall(name: string, options: CallOptions): void {
  checkText(name, "name");
  checkReadable(options);
  checkSignal(options.signal);
  checkTexts(options.attributes, "attributes");
}

/** Runs `fn` as a call that ends when the caller's signal fires. It begins at once. */
export function callWith<T>(
  parts: CallParts,
  name: string,
  options: CallOptions,
  fn: (call: Call) => Promise<T>,
): Promise<T> {
  let call: Call;
  try {
    checkCall(name, options);
    const parent = parts.scopes.own(options.parent);
    call = { parts, name, parent, chains: parts.registry.chainsAt(parent), root: new Invocation() };
  } catch (error) {
    return Promise.reject(error);
  }
  return options.signal === undefined ? fn(call) : abortable(call, options.signal, fn);
}

async function abortable<T>(call: Call, signal: AbortSignal, fn: (call: Call) => Promise<T>): Promise<T> {
  const { root, name } = call;
  const abort = (): void => root.cancel(relayErrors.aborted(name, signal.reason));
  signal.addEventListener("abort", abort, { once: true });
  if (signal.aborted) abort();
  try {
    return await root.run(() => fn(call));
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

/** A context for the tool or the provider itself. */
export class InnerContext implements CallContext {
  readonly scope: Scope;
  readonly #invocation: Invocation;

  constructor(invocation: Invocation, scope: Scope) {
    this.#invocation = invocation;
    this.scope = scope;
  }

  /** Made when it is asked for. */
  get signal(): AbortSignal {
    return this.#invocation.signal;
  }
}
