/** A registration: what a program or a plugin's session gives, and what it gets back. */
import { nearest } from "@troupe/base";
import { limits } from "@troupe/protocol";
import { relayErrors } from "../errors.ts";
import { checkReadable } from "../given.ts";
import type { Scope } from "../scope/scope.ts";
import { isMiddlewareKind, kindRow, type MiddlewareKind } from "./kinds.ts";
import type { MiddlewareShapes } from "./payloads.ts";

/** What a middleware gets beside the payload. */
export interface MiddlewareContext {
  /** Fires when the answer isn't waited for any more: the caller gave up, or the deadline is over. */
  readonly signal: AbortSignal;
}

/** What a middleware that goes around a call gets beside the payload. */
export interface AroundContext<K extends MiddlewareKind> extends MiddlewareContext {
  /**
   * The rest of the call. May be called any number of times, also at once. Throws `relay.next_revoked` when the
   * middleware has answered.
   */
  readonly next: MiddlewareShapes[K] extends { next: infer N } ? N : never;
}

/** The context that a kind gets. */
export type ContextOf<K extends MiddlewareKind> = MiddlewareShapes[K] extends { next: unknown }
  ? AroundContext<K>
  : MiddlewareContext;

/** A middleware: a function, synchronous or not. */
export type MiddlewareHandler<K extends MiddlewareKind> = (
  payload: MiddlewareShapes[K]["payload"],
  context: ContextOf<K>,
) => MiddlewareShapes[K]["answer"] | PromiseLike<MiddlewareShapes[K]["answer"]>;

/** The registrations that a gate decides about. */
export interface GateTarget {
  readonly kinds: readonly MiddlewareKind[];
  /** The name that they are registered under. */
  readonly name: string;
}

/** What may be said of a registration beside kind, name and handler. */
export interface RegistrationOptions {
  /** Lower ones run first; any finite number. Default: 0. */
  readonly priority?: number;
  /** Visible in this scope and below it, and gone when it ends. Default: visible everywhere. */
  readonly scope?: Scope;
  /** Request intercepts: the chain ends behind this one. Default: false. */
  readonly breakChain?: boolean;
  /** What one answer may take, milliseconds; null: as long as it likes. Default: the kind's. */
  readonly deadlineMs?: number | null;
  /** Subscribers: events that may wait. Default: `limits.relaySubscriberQueue`. */
  readonly queueLimit?: number;
  /** Subscribers: which event goes when the queue is full. Default: "drop_newest". */
  readonly overflow?: "drop_newest" | "drop_oldest";
  /** Gates, which can't do without: what they decide about. */
  readonly about?: GateTarget;
}

const optionNames = [
  ...["kind", "name", "handle", "priority", "scope", "breakChain", "deadlineMs"],
  ...["queueLimit", "overflow", "about"],
];

/** A registration of a kind, whole. */
export interface RegistrationRequest<K extends MiddlewareKind> extends RegistrationOptions {
  readonly kind: K;
  /** Unique among registrations of its kind in the same place. */
  readonly name: string;
  /** The middleware. A method, so that a request of one kind passes for one of any. */
  handle(...parameters: Parameters<MiddlewareHandler<K>>): ReturnType<MiddlewareHandler<K>>;
}

/** What `register` answers. `using registration = relay.register(…)` takes it away when the block ends, however it ends. */
export interface Registration extends Disposable {
  readonly kind: MiddlewareKind;
  readonly name: string;
  readonly priority: number;
  /** Null for one that is visible everywhere. */
  readonly scopeUuid: string | null;
  /**
   * Takes it away. False when it was gone already. Calls that have started keep it; a subscriber still gets the events
   * that were emitted before.
   */
  deregister(): boolean;
}

/** Throws for a request that no registry can take. Requests come from plugins as well, where no compiler looked. */
export function checkRequest(request: RegistrationRequest<MiddlewareKind>): void {
  checkReadable(request, "request");
  const { kind, name, handle, priority, deadlineMs } = request;
  if (!isMiddlewareKind(kind)) throw relayErrors.kindUnknown(kind);
  if (typeof name !== "string" || name.length === 0 || name.length > limits.memberNameLength)
    throw relayErrors.nameMalformed(limits.memberNameLength);
  checkKeys(request, optionNames);
  if (typeof handle !== "function") throw relayErrors.optionInvalid("handle", "a function");
  if (priority !== undefined && !Number.isFinite(priority))
    throw relayErrors.optionInvalid("priority", "a finite number");
  if (deadlineMs !== undefined && deadlineMs !== null && !isDeadline(deadlineMs))
    throw relayErrors.optionInvalid("deadlineMs", "null or from above 0 to 2^31 - 1");
  checkKindsOwn(request);
  if (kind === "conditional_middleware_guardrail") checkGate(request);
  else if (request.about !== undefined)
    throw relayErrors.optionInvalid("about", "left out: only gates have it");
}

/** Throws `relay.option_unknown` for a key that isn't one of `names`. */
export function checkKeys(options: object, names: readonly string[]): void {
  for (const key of Object.keys(options))
    if (!names.includes(key)) throw relayErrors.optionUnknown(key, nearest(key, names));
}

function checkKindsOwn({
  kind,
  breakChain,
  queueLimit,
  overflow,
}: RegistrationRequest<MiddlewareKind>): void {
  if (breakChain === true && !kindRow(kind).breakable)
    throw relayErrors.optionInvalid("breakChain", "left out: only request intercepts have it");
  if ((queueLimit !== undefined || overflow !== undefined) && kind !== "subscriber")
    throw relayErrors.optionInvalid("queueLimit and overflow", "left out: only subscribers have them");
  if (queueLimit !== undefined && !isIn(queueLimit, 1, limits.relaySubscriberQueueLongest))
    throw relayErrors.optionInvalid("queueLimit", `from 1 to ${limits.relaySubscriberQueueLongest}`);
  if (overflow !== undefined && overflow !== "drop_newest" && overflow !== "drop_oldest")
    throw relayErrors.optionInvalid("overflow", '"drop_newest" or "drop_oldest"');
}

/** A gate can't decide about gates, nor for one scope alone: what it leaves out is left out for everybody. */
function checkGate({ about, scope, deadlineMs }: RegistrationRequest<MiddlewareKind>): void {
  const expected = "{ kinds, name } of registrations that aren't gates";
  if (typeof about !== "object" || about === null || typeof about.name !== "string")
    throw relayErrors.optionInvalid("about", expected);
  checkReadable(about, "about");
  const { kinds } = about;
  if (!Array.isArray(kinds) || kinds.length === 0) throw relayErrors.optionInvalid("about.kinds", "a list");
  for (const kind of kinds) {
    if (!isMiddlewareKind(kind)) throw relayErrors.kindUnknown(kind);
    if (kind === "conditional_middleware_guardrail") throw relayErrors.optionInvalid("about", expected);
  }
  if (scope !== undefined) throw relayErrors.optionInvalid("scope", "left out: gates are for everybody");
  if (deadlineMs !== undefined)
    throw relayErrors.optionInvalid("deadlineMs", "left out: gates answer at once");
}

function isDeadline(value: unknown): boolean {
  return typeof value === "number" && value > 0 && value < 2 ** 31;
}

function isIn(value: number, least: number, most: number): boolean {
  return Number.isInteger(value) && value >= least && value <= most;
}
