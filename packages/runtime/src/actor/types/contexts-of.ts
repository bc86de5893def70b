/**
 * Types of a definition's contexts, for code outside of it.
 */
import type { ActorDefinition } from "../definition.ts";
import type { ActorTypes, AnyTypes, Types } from "./bag.ts";
import type {
  ActorContext,
  Conn,
  ConnContext,
  CreateContext,
  CreateStateContext,
  RequestContext,
} from "./context.ts";
import type { QueueDeclarations } from "./queue.ts";
import type { Schedule, ScheduledFireInfo } from "./schedule.ts";

/** The types that a definition carries. */
export type TypesOf<D> = D extends { readonly "~types"?: { readonly actor: infer T extends ActorTypes } }
  ? T
  : never;

/** As `ActorConfig` has it for `createVars`, which makes what its own context can't have yet. */
type CreatingVarsOf<T extends ActorTypes> = Types<
  T["state"],
  unknown,
  unknown,
  unknown,
  T["input"],
  T["events"],
  T["actionNames"],
  QueueDeclarations,
  T["database"]
>;

/** As `ActorConfig` has it for the hooks before a connection. */
type ConnectingOf<T extends ActorTypes> = Types<
  T["state"],
  unknown,
  unknown,
  T["vars"],
  T["input"],
  T["events"],
  T["actionNames"],
  QueueDeclarations,
  T["database"]
>;

/** `c` of a definition's hooks. */
export type ActorContextOf<D> = ActorContext<TypesOf<D>>;
/** `c` of a definition's actions. */
export type ActionContextOf<D> = ConnContext<TypesOf<D>>;
/** `c` of `createState`. */
export type CreateStateContextOf<D> = CreateStateContext<TypesOf<D>>;
/** `c` of `onCreate`. */
export type CreateContextOf<D> = CreateContext<TypesOf<D>>;
/** `c` of `onConnect` and `onDisconnect`. */
export type ConnectContextOf<D> = ConnContext<TypesOf<D>>;
/** `c` of `onRequest`. */
export type RequestContextOf<D> = RequestContext<TypesOf<D>>;
/** `c` of `onWebSocket`. */
export type WebSocketContextOf<D> = ConnContext<TypesOf<D>>;
/** `c` of `run`. */
export type RunContextOf<D> = ActorContext<TypesOf<D>>;
/** `c` of `onWake`. */
export type WakeContextOf<D> = ActorContext<TypesOf<D>>;
/** `c` of `onSleep`. */
export type SleepContextOf<D> = ActorContext<TypesOf<D>>;
/** `c` of `onDestroy`. */
export type DestroyContextOf<D> = ActorContext<TypesOf<D>>;
/** `c` of `onStateChange`. */
export type StateChangeContextOf<D> = ActorContext<TypesOf<D>>;
/** `c` of `onMigrate`. */
export type MigrateContextOf<D> = Omit<ActorContext<TypesOf<D>>, "vars">;
/** `c` of `createVars`. */
export type CreateVarsContextOf<D> = CreateContext<CreatingVarsOf<TypesOf<D>>>;
/** `c` of `onBeforeConnect`. */
export type BeforeConnectContextOf<D> = ActorContext<ConnectingOf<TypesOf<D>>>;
/** `c` of `createConnState`. */
export type CreateConnStateContextOf<D> = BeforeConnectContextOf<D>;
/** `c` of `onBeforeConnect` and `createConnState`: the connection isn't there yet. */
export type ConnInitContextOf<D> = BeforeConnectContextOf<D>;
/** `c` where there is a connection. */
export type ConnContextOf<D> = ConnContext<TypesOf<D>>;
/** `c` of `onDisconnect`. */
export type DisconnectContextOf<D> = ConnContext<TypesOf<D>>;
/** `c` of `onBeforeActionResponse`. */
export type BeforeActionResponseContextOf<D> = ConnContext<TypesOf<D>>;
/** A connection of a definition's actors. */
export type ConnOf<D> = Conn<TypesOf<D>>;
/** The state of a definition. */
export type StateOf<D> = TypesOf<D>["state"];
/** The tree of actions of a definition. */
type ActionsIn<D> = D extends { readonly "~types"?: { readonly actions: infer A } } ? A : never;

/** An action, whatever it takes. */
type Action = (...args: never[]) => unknown;

/** Dotted names of all actions in a tree. */
type NamesIn<A> = {
  [N in keyof A & string]: A[N] extends Action ? N : `${N}.${NamesIn<A[N]>}`;
}[keyof A & string];

/** The action that stands at a dotted name. */
type ActionAt<A, P> = P extends keyof A
  ? A[P]
  : P extends `${infer N}.${infer Rest}`
    ? N extends keyof A
      ? ActionAt<A[N], Rest>
      : never
    : never;

/** What a schedule gives an action: all but the context, and but the last one, which says why it was called. */
type ScheduledArgs<F> = F extends (c: never, ...args: infer Args) => unknown
  ? Args extends [...infer Rest, (ScheduledFireInfo | undefined)?]
    ? Rest
    : Args
  : never;

/**
 * `c.schedule` with the types of each action's arguments: `const schedule: ScheduleOf<typeof room> = c.schedule`.
 *
 * For code outside of the definition. Inside, `c.schedule` knows the names alone: what an action takes is part of what is
 * being inferred, and can't be a part of its own context.
 */
export interface ScheduleOf<D> extends Pick<Schedule, "set" | "retry" | "cancel" | "get" | "list"> {
  /** As `Schedule.after`. */
  after<N extends NamesIn<ActionsIn<D>>>(
    delayMs: number,
    action: N,
    ...args: ScheduledArgs<ActionAt<ActionsIn<D>, N>>
  ): Promise<string>;
  /** As `Schedule.at`. */
  at<N extends NamesIn<ActionsIn<D>>>(
    timestamp: number,
    action: N,
    ...args: ScheduledArgs<ActionAt<ActionsIn<D>, N>>
  ): Promise<string>;
}

/** Any definition made by `actor()`. */
export type SomeDefinition = ActorDefinition<AnyTypes, unknown>;
