/**
 * What the client knows of actors at compile time.
 *
 * The client imports nothing of the runtime. A definition and a registry carry their types in a phantom property
 * `"~types"`, which is never there at run time; the runtime's own types declare it with these shapes, and so may
 * anything else that describes actors (generated types of actors in other languages).
 */

import type { ResultStream } from "./stream/result-stream.ts";

/** The types of one kind of actor. */
export interface ActorContract {
  /** The tree of actions as it was written: functions that take the context first, and groups of them. */
  readonly actions: unknown;
  /** Names of declared events to their tuples of arguments; `{}` when none are declared. */
  readonly events: Readonly<Record<string, readonly unknown[]>>;
  /** Names of declared queues to what is sent to them and replied; absent or `{}` when none are declared. */
  readonly queues?: Readonly<Record<string, { readonly message: unknown; readonly reply: unknown }>>;
  /** Connection parameters. */
  readonly params: unknown;
  /** The input of a new actor. */
  readonly input: unknown;
}

/** A definition of an actor, as far as the client is concerned. */
export interface AnyActorDefinition {
  readonly "~types"?: ActorContract;
}

/** A registry, as far as the client is concerned: names of actors to their definitions. */
export interface Registry {
  readonly "~types"?: { readonly use: Readonly<Record<string, AnyActorDefinition>> };
}

/** The definitions of a registry, by name. */
export type ExtractActorsFromRegistry<R extends Registry> = NonNullable<R["~types"]>["use"];

type Contract<AD extends AnyActorDefinition> = NonNullable<AD["~types"]>;

/** The connection parameters of an actor. */
export type ParamsOf<AD extends AnyActorDefinition> = Contract<AD>["params"];

/** The input of a new actor. */
export type InputOf<AD extends AnyActorDefinition> = Contract<AD>["input"];

/** Names of an actor's declared events; any string when it declares none. */
export type EventNameOf<AD extends AnyActorDefinition> = keyof Contract<AD>["events"] extends never
  ? string
  : keyof Contract<AD>["events"] & string;

type QueuesOf<AD extends AnyActorDefinition> = NonNullable<Contract<AD>["queues"]>;

/** Names of an actor's declared queues; any string when it declares none. */
export type QueueNameOf<AD extends AnyActorDefinition> = keyof QueuesOf<AD> extends never
  ? string
  : keyof QueuesOf<AD> & string;

/** What is sent to a queue. */
export type QueueBodyOf<AD extends AnyActorDefinition, N extends string> = N extends keyof QueuesOf<AD>
  ? QueuesOf<AD>[N]["message"]
  : unknown;

/** What a queue's messages are completed with. */
export type QueueReplyOf<AD extends AnyActorDefinition, N extends string> = N extends keyof QueuesOf<AD>
  ? QueuesOf<AD>[N]["reply"]
  : unknown;

/** The arguments of an event; unknown ones when the actor declares no events. */
export type EventArgsOf<
  AD extends AnyActorDefinition,
  N extends string,
> = string extends keyof Contract<AD>["events"]
  ? unknown[]
  : N extends keyof Contract<AD>["events"]
    ? [...Contract<AD>["events"][N]]
    : unknown[];

/** An action as a caller sees it: without the context, and asynchronous. */
export type ActorActionFunction<Args extends readonly unknown[] = unknown[], Response = unknown> = (
  ...args: Args
) => Promise<Response>;

/**
 * What the call of an action gives that is an async generator, or returns anything else that is iterated asynchronously:
 * the items, and a promise of them.
 */
export type ActionStream<Item = unknown> = Promise<ResultStream<Item>> & AsyncIterable<Item>;

/** An action whose result comes in items, as a caller sees it. */
export type ActorStreamFunction<Args extends readonly unknown[] = unknown[], Item = unknown> = (
  ...args: Args
) => ActionStream<Item>;

/** An action, or a group of actions, of an actor whose types aren't known. */
export interface UntypedAction {
  (...args: unknown[]): Promise<unknown>;
  readonly [name: string]: UntypedAction;
}

type IsAny<T> = 0 extends 1 & T ? true : false;

/** The items of a result that comes in items; never for any other. */
type ItemsOf<R> =
  IsAny<R> extends true ? never : [R] extends [never] ? never : R extends AsyncIterable<infer I> ? I : never;

type ActionNode<T> = T extends (c: never, ...args: infer Args) => infer Return
  ? [ItemsOf<Awaited<Return>>] extends [never]
    ? ActorActionFunction<Args, Awaited<Return>>
    : ActorStreamFunction<Args, ItemsOf<Awaited<Return>>>
  : T extends object
    ? ActionTreeOf<T>
    : never;

/** A tree of actions as a caller sees it. Names in `Reserved` belong to the handle and are left out. */
export type ActionTreeOf<T, Reserved extends PropertyKey = never> = {
  readonly [K in keyof T as Exclude<K, Reserved>]: ActionNode<T[K]>;
};

/** The actions of an actor as a caller sees them. */
export type ActionsOf<
  AD extends AnyActorDefinition,
  Reserved extends PropertyKey = never,
> = unknown extends Contract<AD>["actions"]
  ? { readonly [name: string]: UntypedAction }
  : ActionTreeOf<NonNullable<Contract<AD>["actions"]>, Reserved>;
