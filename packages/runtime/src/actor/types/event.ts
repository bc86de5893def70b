/**
 * Declared events: their argument types, for `c.broadcast`, `conn.send` and the client's `conn.on`.
 */
import { checkKnownOptions } from "../../known-options.ts";

import type { ConnContext } from "./context.ts";

/** What `event` takes. */
export interface EventOptions<C = ConnContext> {
  /**
   * Asked before a client listens to the event: false refuses it with `auth.forbidden`. 5 s at most
   * (`onBeforeConnectTimeout`).
   */
  canSubscribe?(c: C): boolean | Promise<boolean>;
  /**
   * The newest events of this name that are kept, at most 1,000: a client that was away gets those that it missed, once
   * and in order. Default 0: it is told of a gap. Ours.
   */
  readonly retain?: number;
}

/** A declared event. `T` is its payload, or a tuple of several arguments. */
export interface EventDeclaration<T = unknown> {
  readonly kind: "event";
  canSubscribe?(c: never): boolean | Promise<boolean>;
  readonly retain?: number;
  /** Types only; never there at run time. */
  readonly "~payload"?: T;
}

/** The `events` of a definition: names to declarations. */
export type EventDeclarations = Readonly<Record<string, EventDeclaration>>;

/** The arguments of an event: a fixed tuple as it is, anything else as the one argument. */
export type EventArgs<T> = T extends readonly unknown[] ? (number extends T["length"] ? [T] : T) : [T];

/** The payload type of a declaration. */
export type EventPayload<D> = D extends { readonly "~payload"?: infer T } ? T : never;

/**
 * Declares an event.
 *
 * ```ts
 * events: {
 *   message: event<{ from: string; text: string }>({ retain: 100 }),
 *   moved: event<[x: number, y: number]>(),
 * }
 * ```
 */
export function event<T, C = ConnContext>(options: EventOptions<C> = {}): EventDeclaration<T> {
  // A misspelt guard would let everybody listen.
  checkKnownOptions("event", options, ["canSubscribe", "retain"]);
  const { canSubscribe, retain } = options;
  return Object.freeze({
    kind: "event" as const,
    ...(canSubscribe === undefined ? {} : { canSubscribe }),
    ...(retain === undefined ? {} : { retain }),
  });
}
