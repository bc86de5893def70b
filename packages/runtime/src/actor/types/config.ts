/**
 * The shape of `actor({ … })`.
 */
import type { UniversalWebSocket } from "@troupe/client";
import type { DatabaseDeclaration } from "../database.ts";
import type { ActorOptions } from "../options.ts";
import type { CallGuards } from "./access.ts";
import type { ActorTypes, AnyTypes, Types } from "./bag.ts";
import type {
  ActorContext,
  Conn,
  ConnContext,
  CreateContext,
  CreateStateContext,
  RequestContext,
} from "./context.ts";
import type { Database, DatabaseAccess } from "./database.ts";
import type { EventDeclarations } from "./event.ts";
import type { QueueDeclarations } from "./queue.ts";
import type { ActionInputSchemas, StandardSchema } from "./standard-schema.ts";

type MaybePromise<R> = R | Promise<R>;

/** A tree of actions: nested groups are called by dotted names. */
export interface ActionTree<C> {
  readonly [name: string]: ((c: C, ...args: never[]) => unknown) | ActionTree<C>;
}

/** The actions of one definition. Their names are inferred from the keys alone, before what they do is looked at. */
type NamedActions<C, N extends string> = {
  readonly [K in N]: ((c: C, ...args: never[]) => unknown) | ActionTree<C>;
};

/** What a creator makes can't be part of the types of its own context: TypeScript would settle it too early. */
type CreatingState<I, E extends EventDeclarations, N extends string, D extends DatabaseAccess> = Types<
  unknown,
  unknown,
  unknown,
  unknown,
  I,
  E,
  N,
  QueueDeclarations,
  D
>;
/** What the context of `createVars` knows. */
export type CreatingVars<S, E extends EventDeclarations, N extends string, D extends DatabaseAccess> = Types<
  S,
  unknown,
  unknown,
  unknown,
  unknown,
  E,
  N,
  QueueDeclarations,
  D
>;
/** What the contexts of the hooks before a connection know. */
export type Connecting<S, V, E extends EventDeclarations, N extends string, D extends DatabaseAccess> = Types<
  S,
  unknown,
  unknown,
  V,
  unknown,
  E,
  N,
  QueueDeclarations,
  D
>;

type StateConfig<S, I, E extends EventDeclarations, N extends string, D extends DatabaseAccess> =
  | {
      /** The first state; copied for each actor. */
      readonly state: S;
      readonly createState?: undefined;
    }
  | {
      readonly state?: undefined;
      /** Makes the first state, once in an actor's life. */
      readonly createState: (c: CreateStateContext<CreatingState<I, E, N, D>>, input: I) => MaybePromise<S>;
    }
  | { readonly state?: undefined; readonly createState?: undefined };

type VarsConfig<V, T extends ActorTypes> =
  | {
      /** Values of an activation; cloned for each. */
      readonly vars: V;
      readonly createVars?: undefined;
    }
  | {
      readonly vars?: undefined;
      /** Makes the vars of an activation, at each start. 5 s by default. */
      readonly createVars: (c: CreateContext<T>) => MaybePromise<V>;
    }
  | { readonly vars?: undefined; readonly createVars?: undefined };

type ConnStateConfig<CP, CS, T extends ActorTypes> =
  | {
      /** A connection's first state; cloned for each. */
      readonly connState: CS;
      readonly createConnState?: undefined;
    }
  | {
      readonly connState?: undefined;
      /** Makes a connection's state from its parameters. 5 s by default. */
      readonly createConnState: (c: ActorContext<T>, params: CP) => MaybePromise<CS>;
    }
  | { readonly connState?: undefined; readonly createConnState?: undefined };

/** Types that nothing else gives: `types: {} as { connParams: { token: string } }`. */
export interface DeclaredTypes<S, CP, CS, V, I> {
  readonly state?: S;
  readonly connParams?: CP;
  readonly connState?: CS;
  readonly vars?: V;
  readonly input?: I;
}

interface Hooks<
  S,
  CP,
  CS,
  V,
  I,
  E extends EventDeclarations,
  N extends string,
  Q extends QueueDeclarations,
  D extends DatabaseAccess,
  T extends Types<S, CP, CS, V, I, E, N, Q, D>,
  P,
  TC extends ActorTypes,
> {
  readonly types?: DeclaredTypes<S, CP, CS, V, I>;
  /** Which version of the state this program has. Default 0. A program doesn't start an actor with a newer state. */
  readonly stateVersion?: number;
  /**
   * Makes the state of an older version this program's, before anything else of the actor runs; `from` is 0 for state
   * without a version. What it throws keeps the actor from starting, and leaves its state as it was. 30 s at most
   * (`onMigrateTimeout`).
   */
  migrateState?(old: unknown, from: number): MaybePromise<NoInfer<S>>;
  readonly events?: E;
  /** Messages for the actor, kept on disk until it has handled them: `queue<Message, Reply>()`, or schemas of messages. */
  readonly queues?: Q;
  /** First on every start, new or not. 30 s by default. */
  readonly onMigrate?: (c: Omit<ActorContext<T>, "vars">, isNew: boolean) => MaybePromise<void>;
  /** Once in an actor's life, after its state was made. */
  readonly onCreate?: (c: CreateContext<T>, input: I) => MaybePromise<void>;
  /** On every start, when state and vars are there. */
  readonly onWake?: (c: ActorContext<T>) => MaybePromise<void>;
  /** Before the actor sleeps; not after a crash. */
  readonly onSleep?: (c: ActorContext<T>) => MaybePromise<void>;
  /** Before the actor is ended for good. */
  readonly onDestroy?: (c: ActorContext<T>) => MaybePromise<void>;
  /**
   * Runs beside the actor while it is awake. Keeps it awake, but for the time when it only waits for messages of its queues;
   * when it returns or throws, the actor goes on.
   */
  readonly run?: Run<Types<NoInfer<S>, NoInfer<CP>, NoInfer<CS>, NoInfer<V>, NoInfer<I>, E, N, Q, D>>;
  /** Called once after a turn that changed the state. Must not change it. */
  readonly onStateChange?: (c: ActorContext<T>, newState: S) => void;
  /** Throws to refuse a connection or a call. 5 s by default. */
  readonly onBeforeConnect?: (c: ActorContext<TC>, params: CP) => MaybePromise<void>;
  /** A client is connected, or calls without a connection (`conn.isStateless`). 5 s by default. */
  readonly onConnect?: (c: ConnContext<T>, conn: Conn<T>) => MaybePromise<void>;
  /** A client is gone, or its call without a connection has ended (`conn.isStateless`). */
  readonly onDisconnect?: (c: ConnContext<T>, conn: Conn<T>) => MaybePromise<void>;
  /** Sees, and may replace, each action's result before it leaves. */
  readonly onBeforeActionResponse?: (
    c: ConnContext<T>,
    name: string,
    args: unknown[],
    output: unknown,
  ) => MaybePromise<unknown>;
  /**
   * Somebody has sent an HTTP request of the actor's own: `handle.fetch()`, or `/request` behind the actor's address.
   * Bodies stream both ways, and what leaves waits for what was written before it. It passes the connect hooks as a call
   * does, and keeps the actor awake until the answer's body has ended. `c.abortSignal` fires when the client is gone.
   */
  readonly onRequest?: (c: RequestContext<T>, request: Request) => MaybePromise<Response>;
  /**
   * Somebody has opened a WebSocket of the actor's own protocol: `handle.webSocket()`, or `/websocket` behind the actor's
   * address. It is open, keeps the actor awake, and passes the connect hooks as any connection.
   */
  readonly onWebSocket?: (
    c: ConnContext<T>,
    websocket: UniversalWebSocket,
    options: { readonly request: Request },
  ) => MaybePromise<void>;
  /**
   * What the arguments of an action must be: a Standard Schema (of Zod, Valibot, ArkType …) of their whole list, for each
   * action by its name. The action gets what the schema makes of them; else its caller gets `actor.validation_error`. Calls
   * that the actor schedules for itself aren't checked.
   */
  readonly actionInputSchemas?: ActionInputSchemas;
  /**
   * What connection parameters must be: before any connect hook. The hooks and `conn.params` get what it makes of them, and
   * clients give what it takes, in types too.
   */
  readonly connParamsSchema?: StandardSchema<P, CP>;
  /**
   * Who may call which action, by its name or its group's: a function of the caller's context that returns true or false
   * (5 s at most, `onBeforeConnectTimeout`), or "internal" for other actors and the actor's own schedules alone. Who may not
   * gets `auth.forbidden`, and nothing ran. Ours.
   */
  readonly canCall?: CallGuards<ConnContext<T>, N>;
  /**
   * Who a caller is: idempotency keys are a caller's own. Without it callers are told apart by their connection parameters,
   * so give it where these change (a token that is renewed). Other actors are known by their ids.
   */
  readonly callerIdentity?: (c: ConnContext<T>) => MaybePromise<string>;
  /** A database of the actor's own: what `db()` of "troupe/db" returns. */
  readonly db?: DatabaseDeclaration<D>;
  readonly options?: ActorOptions;
}

/** What the parts that it leaves open are, a `run` doesn't decide: a workflow takes what it doesn't know for unknown. */
type Run<T extends AnyTypes> = ((c: ActorContext<T>) => MaybePromise<void>) | RunConfig<T>;

/** `run` with a name and an icon for the inspector. */
export interface RunConfig<T extends AnyTypes> {
  readonly name?: string;
  readonly icon?: string;
  readonly run: (c: ActorContext<T>) => MaybePromise<void>;
}

/**
 * What `actor()` takes. One of each pair at most: `state` or `createState`, `vars` or `createVars`, and so on.
 *
 * `TV` and `TC` are what the contexts of `createVars` and of the hooks before a connection know. TypeScript reads a definition
 * from the top, and settles a parameter at the first function whose context has it. These two take what is known by then, and
 * leave the rest open: `createState` may stand below `createConnState`.
 */
export type ActorConfig<
  S,
  CP,
  CS,
  V,
  I,
  E extends EventDeclarations,
  A,
  N extends string = string,
  Q extends QueueDeclarations = QueueDeclarations,
  D extends DatabaseAccess = Database,
  P = CP,
  TV extends ActorTypes = CreatingVars<S, E, N, D>,
  TC extends ActorTypes = Connecting<S, V, E, N, D>,
> = Hooks<S, CP, CS, V, I, E, NoInfer<N>, Q, D, Types<S, CP, CS, V, I, E, NoInfer<N>, Q, D>, P, NoInfer<TC>> &
  StateConfig<S, I, E, NoInfer<N>, NoInfer<D>> &
  VarsConfig<V, NoInfer<TV>> &
  ConnStateConfig<CP, CS, NoInfer<TC>> & {
    // Not a bound of A: the contexts in a bound would be settled before `createState` and its like are looked at.
    readonly actions?: A & NamedActions<ConnContext<Types<S, CP, CS, V, I, E, NoInfer<N>, Q, D>>, N>;
  };
