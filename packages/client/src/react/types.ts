/**
 * What the hooks give. `useActor`'s names and shapes are RivetKit's.
 */
import type {
  ActionsOf,
  AnyActorDefinition,
  EventArgsOf,
  EventNameOf,
  ExtractActorsFromRegistry,
  Registry,
} from "../contract.ts";
import type { ActorConn, ActorConnStatus, ActorHandle } from "../types.ts";
import type { ActionState } from "./action-runs.ts";
import type { ActorNameOf, ActorOptions, SettledOptions } from "./options.ts";

/** The definition of a registry's actor. */
export type ActorOf<R extends Registry, N extends ActorNameOf<R>> = ExtractActorsFromRegistry<R>[N];

/** Calls `handler` for each event `name` while the component is mounted. A hook: call it in every render. */
export type UseEvent<AD extends AnyActorDefinition> = <N extends EventNameOf<AD>>(
  name: N,
  handler: (...args: EventArgsOf<AD, N>) => void,
) => void;

/** The part of `useActor`'s result that the other hooks need. */
export interface ShownActor<AD extends AnyActorDefinition> {
  readonly connection: ActorConn<AD> | null;
  /** Equal for all components that share this connection. */
  readonly hash: string;
  readonly opts: SettledOptions;
}

/** What `useActor` gives. */
export interface UseActorState<R extends Registry, N extends ActorNameOf<R>>
  extends ShownActor<ActorOf<R, N>> {
  /** For calls without the connection. Null until the component is mounted, and while it isn't enabled. */
  readonly handle: ActorHandle<ActorOf<R, N>> | null;
  /** Shared with every component of the same name, key and params. Null as `handle` is. */
  readonly connection: ActorConn<ActorOf<R, N>> | null;
  readonly connStatus: ActorConnStatus;
  /** `connStatus === "connected"`. */
  readonly isConnected: boolean;
  /** What the actor or gateway refused, or the newest error that belongs to no call; null once connected. */
  readonly error: Error | null;
  readonly opts: SettledOptions<ActorOptions<R, N>>;
  readonly useEvent: UseEvent<ActorOf<R, N>>;
}

/** The dotted names of a tree of actions. */
export type ActionNameIn<T> = {
  [K in keyof T & string]: T[K] extends (...args: never[]) => unknown ? K : `${K}.${ActionNameIn<T[K]>}`;
}[keyof T & string];

type ActionAt<T, Name> = Name extends keyof T
  ? T[Name]
  : Name extends `${infer Group}.${infer Rest}`
    ? Group extends keyof T
      ? ActionAt<T[Group], Rest>
      : never
    : never;

/** The dotted names of an actor's actions. */
export type ActionNameOf<AD extends AnyActorDefinition> = ActionNameIn<ActionsOf<AD>>;

type ActionFunction<AD extends AnyActorDefinition, Name> =
  ActionAt<ActionsOf<AD>, Name> extends (...args: infer Args) => Promise<infer Data>
    ? { readonly args: Args; readonly data: Data }
    : { readonly args: unknown[]; readonly data: unknown };

/** What `useAction` gives. */
export interface UseActionState<AD extends AnyActorDefinition, Name>
  extends ActionState<ActionFunction<AD, Name>["data"]> {
  /**
   * Calls the action on the component's connection; stays the same function while actor and name do. What is called while
   * disconnected is sent when the connection is back, or fails with `client.not_sent`. A call goes on when its component goes: abort it if it shouldn't.
   */
  readonly run: (...args: ActionFunction<AD, Name>["args"]) => Promise<ActionFunction<AD, Name>["data"]>;
  /** Ends the wait of every call under way; their promises reject with `client.aborted`, `error` stays null. */
  readonly abort: () => void;
}

/** Calls an action and shows what becomes of it. A hook: call it in every render. */
export type UseAction = <AD extends AnyActorDefinition, Name extends ActionNameOf<AD>>(
  actor: ShownActor<AD>,
  name: Name,
) => UseActionState<AD, Name>;
