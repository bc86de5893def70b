/**
 * Tracing: how the calls of actors become scopes of a relay.
 *
 * Events are about calls, not a part of them: they leave at once, whatever waits at the gate. A call's start event leaves
 * before its actor knows of it; its end event leaves with its answer, and says so when the answer never will: then what the
 * call wrote isn't stored. So each event that began has an end, also of actors that sleep or break; what a crash of the
 * process cuts off has none.
 */
import type { Env } from "@troupe/base";
import type { Metadata, PopOptions, Relay, Scope } from "@troupe/relay";
import {
  propagationContextFromJson,
  propagationContextFromTraceparent,
  propagationContextToJson,
} from "@troupe/relay";
import type { ActorRecord } from "../ports/directory.ts";

/** What `setup({ relay })` takes. */
export type RelaySetting = Relay | { readonly on: Relay; readonly payloads?: boolean };

/** What tracing works with. */
export interface Tracing {
  readonly relay: Relay;
  readonly env: Pick<Env, "clock">;
  /** Arguments and results are told as well. */
  readonly payloads: boolean;
}

/** The relay of a setting. */
export function relayOf(setting: RelaySetting | undefined): Relay | undefined {
  return setting === undefined || !("on" in setting) ? setting : setting.on;
}

/** The setting with its default filled in. */
export function tracingOf(setting: RelaySetting, env: Pick<Env, "clock">): Tracing {
  const payloads = "on" in setting && setting.payloads === true;
  return { relay: "on" in setting ? setting.on : setting, env, payloads };
}

/** What every event of an actor says. */
export function actorFacts({ name, id, key }: ActorRecord, kind: string): Metadata {
  return { "troupe.actor": name, "troupe.actor_id": id, "troupe.key": key, "troupe.kind": kind };
}

/** A scope as text, for who is elsewhere or later; undefined where nothing is going on. Default: the current one. */
export function capturedTrace(relay: Relay, scope?: Scope): string | undefined {
  const context = relay.capturePropagationContext(scope);
  return context === undefined ? undefined : propagationContextToJson(context);
}

/** How what threw `error` ended: that may be nothing at all, and is an error all the same. */
export function failedWith(error: unknown, metadata?: Metadata): PopOptions {
  return { error: error ?? String(error), ...(metadata === undefined ? {} : { metadata }) };
}

/** Ends a scope, unless the actor's code has: it has its end event then. */
export function endScope(relay: Relay, scope: Scope, how?: PopOptions): void {
  if (relay.isOpen(scope)) relay.popScope(scope, how);
}

/** What a row or a message says of where work belongs; a root of its own when it says nothing, or nothing that can be read. */
export function parentOf(relay: Relay, trace: string | undefined): Scope {
  if (trace === undefined) return relay.createScopeStack();
  try {
    return relay.createScopeFromPropagation(propagationContextFromJson(trace));
  } catch {
    return relay.createScopeStack();
  }
}

/** The trace that a `traceparent` of a client names, as text; undefined for none, and for one that isn't valid. */
export function traceOfHeader(traceparent: string | undefined): string | undefined {
  if (traceparent === undefined) return undefined;
  const context = propagationContextFromTraceparent(traceparent);
  return context === undefined ? undefined : propagationContextToJson(context);
}

/** Went well, as metadata says it. */
export const OK: Metadata = { "otel.status_code": "OK" };
