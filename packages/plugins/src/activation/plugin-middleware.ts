/**
 * A plugin's middleware as registrations of a relay.
 *
 * Each call carries the scope that it runs in. What a plugin throws as a guardrail's rejection is one: it keeps its type
 * on the way out, as a reason that a guardrail answers does.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import {
  isGuardrailRejected,
  kindRow,
  type MiddlewareContext,
  type MiddlewareKind,
  middlewareKindOf,
  propagationContextToJson,
  type Registration,
  type Relay,
} from "@troupe/relay";
import { activationErrors } from "../errors.ts";
import type { PluginManifest } from "../manifest/manifest.ts";
import type { Around } from "../session/arounds.ts";
import type { PluginDeclarations } from "../session/declarations.ts";
import type { SupervisedSession } from "./supervised-session.ts";

/** What one plugin contributes to a relay. */
export class PluginMiddleware {
  readonly #relay: Relay;
  readonly #session: SupervisedSession;
  readonly #registrations: Registration[] = [];
  /** Whoever took this one's place. */
  #successor: PluginMiddleware | undefined;
  #running = 0;
  #idle: (() => void) | undefined;

  constructor(relay: Relay, session: SupervisedSession) {
    this.#relay = relay;
    this.#session = session;
  }

  /** The names that it is registered under. */
  get names(): readonly string[] {
    return this.#registrations.map(({ name }) => name);
  }

  /** Registers all of it. After a throw some may be registered: `deregister` undoes that. */
  register(id: string): void {
    for (const { kind: wire, name, priority } of this.#session.current.declared.middleware) {
      const kind = checkKind(id, wire);
      const registered = { kind, name: `${id}/${name}`, priority };
      const handle = (payload: unknown, context: CallContext): Promise<never> =>
        this.#call({ kind, wire, name, payload }, context);
      this.#registrations.push(this.#relay.register<MiddlewareKind>({ ...registered, handle }));
    }
  }

  /** Takes the registrations away, at once. */
  deregister(): void {
    for (const registration of this.#registrations.splice(0).reverse()) registration.deregister();
  }

  /** A call that had begun may reach this one after its registrations are gone: `successor` answers what it has as well. */
  handOver(successor: PluginMiddleware): void {
    this.#successor = successor;
  }

  /** Waits for the calls that had begun, at most `timeoutMs`. */
  async drain(timeoutMs: number): Promise<void> {
    if (this.#running === 0) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#idle = resolve;
    const timer = setTimeout(resolve, timeoutMs);
    await promise;
    clearTimeout(timer);
  }

  /** Whether the plugin has this middleware. */
  has({ wire, name }: PluginCall): boolean {
    return this.#session.current.declared.middleware.some((one) => one.kind === wire && one.name === name);
  }

  async #call(call: PluginCall, context: CallContext): Promise<never> {
    if (this.#successor?.has(call)) return await this.#successor.#call(call, context);
    const { signal } = context;
    const { kind, wire, name, payload } = call;
    const scope = this.#relay.capturePropagationContext();
    const carried = scope === undefined ? {} : { scope: propagationContextToJson(scope) };
    this.#running += 1;
    try {
      const options = { signal, ...carried, ...timeoutOf(kind), ...aroundOf(kind, context) };
      // The relay checks the answer: what a kind may answer is its to say.
      return (await this.#session.current.invoke({ kind: wire, name, payload, options })) as never;
    } catch (error) {
      const reason = rejectionOf(kind, error);
      if (reason === undefined) throw error;
      return reason as never;
    } finally {
      this.#running -= 1;
      if (this.#running === 0) this.#idle?.();
    }
  }
}

interface PluginCall {
  readonly kind: MiddlewareKind;
  readonly wire: number;
  /** As the plugin declared it. */
  readonly name: string;
  readonly payload: unknown;
}

/** Throws when the plugin declares more than its manifest says, or what this host can't take. */
export function checkDeclarations(manifest: PluginManifest, declared: PluginDeclarations): void {
  const { id, origin, capabilities } = manifest;
  const contributed = { actors: declared.actors.size, middleware: declared.middleware.length };
  for (const capability of ["actors", "middleware"] as const) {
    if (contributed[capability] > 0 && !capabilities.includes(capability))
      throw activationErrors.capabilityMissing(id, origin.file, capability);
  }
  for (const { kind } of declared.middleware) checkKind(id, kind);
}

/** Throws when a plugin that was started again declares other middleware than it is registered with. */
export function checkSameMiddleware(
  { id }: PluginManifest,
  declared: PluginDeclarations,
  before: PluginDeclarations,
): void {
  const names = ({ middleware }: PluginDeclarations): string =>
    middleware
      .map(({ kind, name, priority }) => `${kind} ${name} ${priority}`)
      .sort()
      .join("\n");
  if (names(declared) !== names(before)) throw activationErrors.declaresOther(id);
}

function checkKind(id: string, wire: number): MiddlewareKind {
  const kind = middlewareKindOf(wire);
  if (kind === undefined) throw activationErrors.kindUnknown(id, wire);
  if (kindRow(kind).atOnce) throw activationErrors.kindUnsupported(id, kind);
  return kind;
}

/** The relay has a deadline of its own, and cancels: the plugin is told of the same one. */
function timeoutOf(kind: MiddlewareKind): { readonly timeoutMs?: number } {
  const { deadlineMs, around } = kindRow(kind);
  // What goes around a call takes as long as the call does.
  if (around) return { timeoutMs: deadlineMs ?? Infinity };
  return deadlineMs === null ? {} : { timeoutMs: deadlineMs };
}

/** What the relay gives a middleware; `next` to those that go around a call. */
interface CallContext extends MiddlewareContext {
  readonly next?: (input: never) => Promise<unknown>;
}

/**
 * The input is what the plugin says: what it may be is the relay's to check. It comes in a frame, which belongs to no call: the
 * rest runs where the call was made, in its scope.
 */
function aroundOf(kind: MiddlewareKind, { next }: CallContext): { readonly around?: Around } {
  if (next === undefined) return {};
  const inCall = AsyncLocalStorage.snapshot();
  const stream = kind === "llm_stream_execution_intercept";
  return { around: { next: (input) => inCall(next, input as never), stream } };
}

/** The reason of a rejection that was thrown where a reason may be answered. */
function rejectionOf(kind: MiddlewareKind, error: unknown): string | undefined {
  if (kindRow(kind).phase !== "conditional" || !isGuardrailRejected(error)) return undefined;
  const reason = error.metadata?.reason;
  return typeof reason === "string" ? reason : error.message;
}
