/**
 * A plugin as its author writes it: what it contributes, as functions.
 */

import type { MiddlewareKind, MiddlewareShapes, PropagationContext } from "@troupe/relay";
import type { AnyActorDefinition } from "@troupe/runtime";
import type { HostHandle } from "./host-handle.ts";

/** The kinds of middleware that a plugin may contribute: all but gates, which answer in the turn in which they are asked. */
export type WorkerKind = Exclude<MiddlewareKind, "conditional_middleware_guardrail">;

/** What a middleware of one kind gets beside its payload: those that go around a call get the rest of it too. */
export type WorkerContextOf<K extends WorkerKind> = MiddlewareShapes[K] extends { next: infer N }
  ? WorkerContext & {
      /** The rest of the call. Once the middleware has answered, and its stream has ended, it is revoked. */
      readonly next: N;
    }
  : WorkerContext;

/** What a middleware gets beside its payload. */
export interface WorkerContext {
  /** Fires when nobody waits for the answer any more. */
  readonly signal: AbortSignal;
  /** The scope of the host that the call runs in. Undefined: none. */
  readonly scope: PropagationContext | undefined;
  /** What the plugin may ask of the host's relay, in this call and its scope. */
  readonly host: HostHandle;
}

/** One middleware of one kind. */
export interface WorkerMiddlewareOf<K extends WorkerKind> {
  readonly kind: K;
  /** Unique among the plugin's middleware of its kind. */
  readonly name: string;
  /** Lower ones run first. Default: 0. */
  readonly priority?: number;
  /** What it throws reaches the host with its type. */
  readonly handle: (
    payload: MiddlewareShapes[K]["payload"],
    context: WorkerContextOf<K>,
  ) => MiddlewareShapes[K]["answer"] | PromiseLike<MiddlewareShapes[K]["answer"]>;
}

/** A middleware of any kind. */
export type WorkerMiddleware = { readonly [K in WorkerKind]: WorkerMiddlewareOf<K> }[WorkerKind];

/** A plugin. */
export interface WorkerPlugin {
  /** For people, in logs and errors. */
  readonly name: string;
  /** Default: "0.0.0". */
  readonly version?: string;
  /**
   * Called once, before anything else, with the plugin's configuration; undefined: there is none. What it throws is why the
   * plugin can't run.
   */
  readonly start?: (config: unknown) => void | PromiseLike<void>;
  /** Called once, when the host has taken the plugin in: from now on it may ask. Not when it can't run. */
  readonly ready?: (host: HostHandle) => void;
  readonly middleware?: readonly WorkerMiddleware[];
  /** Actors by name, each made by `actor()`: programs name them with `pluginActor`. */
  readonly actors?: Readonly<Record<string, AnyActorDefinition>>;
}
