/**
 * A plugin's middleware as registrations of a relay.
 *
 * Each call carries the scope that it runs in. What a plugin throws as a guardrail's rejection is one: it keeps its type
 * on the way out, as a reason that a guardrail answers does.
 *
 * A subscriber's events wait in the relay, which goes on giving them out when the registration is gone. So a plugin that ends gets those
 * that wait, for as long as it may take to drain; what it hasn't taken by then is counted and told of in one line.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import { assert, TroupeError } from "@troupe/base";
import { limits } from "@troupe/protocol";
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
import type { SessionEnv } from "../session/session.ts";
import type { SupervisedSession } from "./supervised-session.ts";

/** Where a plugin's middleware is registered, and what it takes from the outside world. */
export interface MiddlewareGround {
  readonly env: SessionEnv;
  /** Undefined: the plugin may have no middleware. */
  readonly relay: Relay | undefined;
}

/** What one plugin contributes to a relay. */
export class PluginMiddleware {
  readonly #given: Relay | undefined;
  readonly #env: SessionEnv;
  readonly #session: SupervisedSession;
  #registrations: Registered[] = [];
  /** Subscribers that were deregistered: events may still wait for them. */
  #leaving: readonly Registered[] = [];
  /** It had its time: events that still wait don't reach it. */
  #over = false;
  #lost = 0;
  /** Whoever took this one's place. */
  #successor: PluginMiddleware | undefined;
  #running = 0;
  #rest: (() => void) | undefined;

  constructor({ relay, env }: MiddlewareGround, session: SupervisedSession) {
    this.#given = relay;
    this.#env = env;
    this.#session = session;
  }

  get #relay(): Relay {
    assert(this.#given !== undefined, "middleware without a relay");
    return this.#given;
  }

  /** The names that it is registered under. */
  get names(): readonly string[] {
    return this.#registrations.map(({ registration }) => registration.name);
  }

  /** Registers all of it. After a throw some may be registered: `deregister` undoes that. */
  register(id: string): void {
    for (const { kind: wire, name, priority } of this.#session.current.declared.middleware) {
      const kind = checkKind(id, wire);
      const registered = { kind, name: `${id}/${name}`, priority };
      const handle = (payload: unknown, context: CallContext): Promise<never> =>
        this.#call({ kind, wire, name, payload }, context);
      const register = (): Registration => this.#relay.register<MiddlewareKind>({ ...registered, handle });
      this.#registrations.push({ registration: inRelay(id, register), wire, name });
    }
  }

  /** Takes the registrations away, at once. */
  deregister(): void {
    const gone = this.#registrations;
    this.#registrations = [];
    for (const { registration } of gone.toReversed()) registration.deregister();
    this.#leaving = gone.filter(({ registration }) => registration.kind === "subscriber");
  }

  /** A call that had begun may reach this one after its registrations are gone: `successor` answers what it has as well. */
  handOver(successor: PluginMiddleware): void {
    this.#successor = successor;
  }

  /** Waits for the calls that had begun and the events that wait, at most `timeoutMs`. What comes later is lost, and counted. */
  async drain(timeoutMs: number): Promise<void> {
    // Those that a successor has are answered there.
    const own = this.#leaving.filter((one) => !this.#successor?.has(one));
    const drained = this.#delivered(own).then(() => this.#idle());
    await this.#atMost(timeoutMs, drained);
    this.#over = true;
  }

  /** Behind the plugin's end: says how many events it didn't get. */
  async tellLost(id: string): Promise<void> {
    await this.#atMost(limits.pluginCloseGraceMs, this.#delivered(this.#leaving));
    if (this.#lost === 0) return;
    const seconds = limits.pluginDrainMs / 1_000;
    const [events, are] = this.#lost === 1 ? ["event", "is"] : ["events", "are"];
    const what = `${this.#lost} ${events} for the plugin's subscribers ${are} lost`;
    const message = `${what}: it ended, and had ${seconds} s for them`;
    this.#env.log.warn(message, { plugin: id });
  }

  /** Settles when nothing waits for `subscribers` any more. */
  async #delivered(subscribers: readonly Registered[]): Promise<void> {
    const flushes = subscribers.map(({ registration }) => this.#relay.flushSubscribers(registration));
    // A subscriber that ends plugins would wait for itself: then nobody waits.
    await Promise.allSettled(flushes);
  }

  async #idle(): Promise<void> {
    if (this.#running === 0) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#rest = resolve;
    await promise;
  }

  async #atMost(timeoutMs: number, settled: Promise<void>): Promise<void> {
    const { promise: late, resolve } = Promise.withResolvers<void>();
    const timer = this.#env.timers.set(resolve, timeoutMs);
    await Promise.race([settled, late]);
    this.#env.timers.clear(timer);
  }

  /** Whether the plugin has this middleware. */
  has({ wire, name }: Pick<PluginCall, "wire" | "name">): boolean {
    return this.#session.current.declared.middleware.some((one) => one.kind === wire && one.name === name);
  }

  async #call(call: PluginCall, context: CallContext): Promise<never> {
    if (this.#successor?.has(call)) return await this.#successor.#call(call, context);
    if (this.#over && call.kind === "subscriber") return this.#lose();
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
      if (this.#over && kind === "subscriber") return this.#lose();
      const reason = rejectionOf(kind, error);
      if (reason === undefined) throw error;
      return reason as never;
    } finally {
      this.#running -= 1;
      if (this.#running === 0) this.#rest?.();
    }
  }

  #lose(): never {
    this.#lost += 1;
    return undefined as never;
  }
}

/** A registration, and what the plugin declared it as. */
interface Registered extends Pick<PluginCall, "wire" | "name"> {
  readonly registration: Registration;
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

/** Throws `plugin.in_relay`, and what else a registration does. */
function inRelay(id: string, register: () => Registration): Registration {
  try {
    return register();
  } catch (error) {
    throw TroupeError.is(error) && error.code === "name_taken" ? activationErrors.inRelay(id, error) : error;
  }
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
