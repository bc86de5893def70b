/**
 * Declared events: their argument types, for `c.broadcast`, `conn.send` and the client's `conn.on`.
 */

/** A declared event. `T` is its payload, or a tuple of several arguments. */
export interface EventDeclaration<T = unknown> {
  readonly kind: "event";
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
 * events: { message: event<{ from: string; text: string }>(), moved: event<[x: number, y: number]>() }
 * ```
 */
export function event<T>(): EventDeclaration<T> {
  return Object.freeze({ kind: "event" as const });
}
