/**
 * The public types of the client. Names and shapes are RivetKit's documented ones.
 */
import type { TroupeError } from "@troupe/base";
import type {
  ActionsOf,
  AnyActorDefinition,
  EventArgsOf,
  EventNameOf,
  ExtractActorsFromRegistry,
  InputOf,
  ParamsOf,
  QueueBodyOf,
  QueueNameOf,
  QueueReplyOf,
  Registry,
} from "./contract.ts";
import type { UniversalWebSocket } from "./raw/universal-web-socket.ts";
import type { ActionResult } from "./stream/action-result.ts";
import type { ResultStream } from "./stream/result-stream.ts";

/** A key as users give it: a string is a key of one component, none at all the empty key. */
export type ActorKey = string | readonly string[];

/** Options of every handle. */
export interface QueryOptions<AD extends AnyActorDefinition = AnyActorDefinition> {
  /** Connection parameters, sent with each call and each connection. At most 4 KiB encoded. */
  readonly params?: ParamsOf<AD>;
  /** Makes the parameters, again for each attempt of a call or a connection. Used where `params` isn't given. */
  readonly getParams?: () => ParamsOf<AD> | Promise<ParamsOf<AD>>;
  /** Aborts every call of the handle, and disposes of its connections. */
  readonly signal?: AbortSignal;
}

/** Options of `get`. */
export type GetOptions<AD extends AnyActorDefinition = AnyActorDefinition> = QueryOptions<AD>;

/** Options of `getForId`. */
export type GetWithIdOptions<AD extends AnyActorDefinition = AnyActorDefinition> = QueryOptions<AD>;

/** Options of `getOrCreate`. */
export interface GetOrCreateOptions<AD extends AnyActorDefinition = AnyActorDefinition>
  extends QueryOptions<AD> {
  /**
   * The input of the actor, if this handle is what creates it. Its type is checked; that it is there isn't, as in RivetKit:
   * a handle of an actor that exists needs none. `createState` sees undefined where it was left out.
   */
  readonly createWithInput?: InputOf<AD>;
  /** No effect: there is one region. Known for RivetKit's sake. */
  readonly createInRegion?: string;
  /** No effect: where an actor runs is the registry's matter. Known for RivetKit's sake. */
  readonly poolName?: string;
}

/** Options of `create`. */
export interface CreateOptions<AD extends AnyActorDefinition = AnyActorDefinition> extends QueryOptions<AD> {
  /** The input of the new actor. Its type is checked; that it is there isn't, see `createWithInput`. */
  readonly input?: InputOf<AD>;
  /** No effect: there is one region. Known for RivetKit's sake. */
  readonly region?: string;
  /** No effect: where an actor runs is the registry's matter. Known for RivetKit's sake. */
  readonly poolName?: string;
}

/** Known for RivetKit's sake. */
export interface ActorGatewayOptions {
  /** No effect: a gateway always waits until the actor is ready, and hooks run first. */
  readonly skipReadyWait?: boolean;
}

/** What goes with a call of an action. */
export interface ActorActionOptions extends ActorGatewayOptions {
  /**
   * Ends the wait, and tells the action, whose `c.abortSignal` fires. The error says in `metadata.outcome` whether the
   * call may have happened.
   */
  readonly signal?: AbortSignal;
  /**
   * The caller waits this long, milliseconds, all attempts together; then `client.deadline_exceeded`. The action knows what
   * is left, and is told when it is over.
   */
  readonly timeoutMs?: number;
  /**
   * A name for what the caller wants, 1 to 256 printable ASCII characters: however often the call is made under it, by this
   * caller, it is applied once, and each gets its result. With it a call whose answer was lost is sent again by itself.
   */
  readonly idempotencyKey?: string;
}

/** Options of `handle.connect`. */
export interface ActorConnectOptions extends ActorGatewayOptions {
  /** How long callers of this connection's actions wait where a call names no `timeoutMs`. Default: as the client says. */
  readonly actionTimeoutMs?: number;
  /** Disposes of the connection. */
  readonly signal?: AbortSignal;
}

/** Options of `handle.webSocket`. */
export type ActorWebSocketOptions = ActorGatewayOptions;

/** What `handle.fetch` takes beside the address: what `fetch` takes. */
export type ActorFetchInit = RequestInit & ActorGatewayOptions;

/** One call of an action by name: `handle.action({ name: "increment", args: [1] })`. */
export interface ActionCall extends ActorActionOptions {
  /** Nested actions by dotted names: `"orders.cancel"`. */
  readonly name: string;
  readonly args?: readonly unknown[];
}

/** Calls an action by name. Its type parameters are those of the result, or, as in RivetKit, of arguments and result. */
export interface CallAction {
  <Response = unknown>(call: ActionCall): ActionResult<Response>;
  <Args extends readonly unknown[], Response>(
    call: ActionCall & { readonly args: Args },
  ): ActionResult<Response>;
}

/** A message is sent, and somebody waits until it was handled. */
export interface QueueSendWaitOptions {
  readonly wait: true;
  /** The longest wait, milliseconds. Default: for as long as it takes. */
  readonly timeout?: number;
  /** Ends the wait; the message stays. */
  readonly signal?: AbortSignal;
}

/** A message is sent; the promise settles when it is durable. */
export interface QueueSendNoWaitOptions {
  readonly wait?: false;
  readonly timeout?: never;
  readonly signal?: AbortSignal;
}

/** How a message is sent. */
export type QueueSendOptions = QueueSendWaitOptions | QueueSendNoWaitOptions;

/** What became of a message. */
export interface QueueSendResult<Response = unknown> {
  /** `completed`: it was handled. `timedOut`: nobody waits any longer; it stays in its queue. */
  readonly status: "completed" | "timedOut";
  /** What it was completed with. */
  readonly response?: Response;
}

/** Sends to an actor's queues. */
export interface QueueSender<AD extends AnyActorDefinition = AnyActorDefinition> {
  /**
   * Puts a message into a queue of the actor. Settles when it is durable; with `wait` when it was handled, also when the
   * actor, or the way to it, is lost and comes back meanwhile. Rejects with `queue.*`, `auth.forbidden`.
   */
  send<N extends QueueNameOf<AD>>(
    name: N,
    body: QueueBodyOf<AD, N>,
    options: QueueSendWaitOptions,
  ): Promise<QueueSendResult<QueueReplyOf<AD, N>>>;
  send<N extends QueueNameOf<AD>>(
    name: N,
    body: QueueBodyOf<AD, N>,
    options?: QueueSendNoWaitOptions,
  ): Promise<void>;
}

/** The handle's own members, beside the actor's actions. */
export interface ActorHandleRaw<AD extends AnyActorDefinition = AnyActorDefinition> extends QueueSender<AD> {
  /** Calls an action by name; also the way to actions whose names a handle can't show (`then`, `connect` …). */
  readonly action: CallAction;
  /** Opens a connection. It connects at once and again whenever it is lost, until it is disposed of. */
  connect(params?: ParamsOf<AD>, options?: ActorConnectOptions): ActorConn<AD>;
  /**
   * Opens a WebSocket of the actor's own protocol: its `onWebSocket` gets the other end. `path` is what the actor sees of
   * the request, and may have a query. It is a standard WebSocket, not yet open: listen before you send. It never connects
   * again by itself. Rejects with `client.raw_unsupported` for the client inside an actor.
   */
  webSocket(
    path?: string,
    protocols?: string | readonly string[],
    options?: ActorWebSocketOptions,
  ): Promise<UniversalWebSocket>;
  /**
   * Sends an HTTP request of the actor's own: its `onRequest` answers. A string is a path, maybe with a query; of a URL
   * path and query are used, of a Request all but its origin. Bodies stream both ways; what the gateway itself refuses
   * is a Response with the header `troupe-error`. Rejects with `client.not_sent`, `client.outcome_unknown`,
   * `client.aborted`.
   */
  fetch(input: string | URL | Request, init?: ActorFetchInit): Promise<Response>;
  /** The actor's id. With `getOrCreate` the actor is created where there is none. */
  resolve(): Promise<string>;
  /**
   * Where the actor is, for other programs: put `/request/…` or `/websocket/…` behind it. It is the address of this actor,
   * found or created as `resolve` does, and not of its key. Without the token.
   */
  getGatewayUrl(): Promise<string>;
  /**
   * Of a dynamic actor: ends its activation, once its calls have ended, so that the next one loads its source anew. Calls that come
   * meanwhile wait for it. Over HTTP the client needs the gateway's token. Rejects with `actor.not_found` (by id),
   * `actor.not_reloadable`, `gateway.unauthorized`; inside a dynamic actor with `client.unsupported`.
   */
  reload(): Promise<void>;
}

/** A handle of an actor: each action is a method. Holds no connection; each call finds the actor anew. */
export type ActorHandle<AD extends AnyActorDefinition> = ActorHandleRaw<AD> &
  ActionsOf<AD, keyof ActorHandleRaw>;

/**
 * - `idle`: not connected, and not about to be: disposed of.
 * - `connecting`: an attempt is under way.
 * - `connected`: the actor has accepted the connection.
 * - `disconnected`: lost; tries again by itself, unless the actor has refused it for good.
 */
export type ActorConnStatus = "idle" | "connecting" | "connected" | "disconnected";

/** Called when a connection has opened or closed. */
export type ConnectionStateCallback = () => void;

/** Called with each new status of a connection. */
export type StatusChangeCallback = (status: ActorConnStatus) => void;

/** Ends a subscription or a callback. Calling it twice does nothing more. */
export type EventUnsubscribe = () => void;

/** The connection was lost and is back; events between may have been missed. Not of those that the actor still has. */
export interface Gap {
  /** The events whose subscriptions were in force before. */
  readonly events: readonly string[];
}

/** The connection's own members, beside the actor's actions. */
export interface ActorConnRaw<AD extends AnyActorDefinition = AnyActorDefinition> extends QueueSender<AD> {
  /**
   * Calls an action by name on this connection. Actions start in the order of their calls. What was called while
   * disconnected is sent when the connection is back, or fails with `client.not_sent` when that takes too long
   * (`reconnect.sendTimeoutMs`); what was sent and lost its answer fails with `client.outcome_unknown` and is never sent
   * again, unless it has an idempotency key.
   */
  readonly action: CallAction;
  /** Calls `listener` for each event `name`. In force before any action that is called after it starts. */
  on<N extends EventNameOf<AD>>(name: N, listener: (...args: EventArgsOf<AD, N>) => void): EventUnsubscribe;
  /** As `on`, for the next event alone. */
  once<N extends EventNameOf<AD>>(name: N, listener: (...args: EventArgsOf<AD, N>) => void): EventUnsubscribe;
  /**
   * The arguments of each event `name`, one list after the other: `for await (const [text] of conn.events("said"))`. In
   * force from this call on, over reconnections as well; leaving the loop ends it, and so does disposing of the connection.
   * Events that nobody takes wait, up to a limit: past it the next one taken is `client.events_overflow`.
   */
  events<N extends EventNameOf<AD>>(
    name: N,
    options?: { readonly signal?: AbortSignal },
  ): ResultStream<EventArgsOf<AD, N>>;
  /** Called each time that the actor has accepted the connection. */
  onOpen(callback: () => void): EventUnsubscribe;
  /** Called each time that an open connection is lost or closed. */
  onClose(callback: () => void): EventUnsubscribe;
  /** Called with errors that belong to no call: refusals, failing `getParams`, listeners that throw. */
  onError(callback: (error: TroupeError) => void): EventUnsubscribe;
  onStatusChange(callback: (status: ActorConnStatus) => void): EventUnsubscribe;
  /** Called when the connection is back after it was lost, before any event that comes then. */
  onGap(callback: (gap: Gap) => void): EventUnsubscribe;
  readonly connStatus: ActorConnStatus;
  readonly isConnected: boolean;
  /** Settles when the actor accepts the connection for the first time; rejects when that will never be. */
  readonly ready: Promise<void>;
  /** Tries to connect now, where the connection waits before its next attempt; else there is nothing to do. */
  reconnect(): void;
  /**
   * Closes the connection for good and settles when it is closed. Calls that weren't sent reject with
   * `client.disposed`, calls that were with `client.outcome_unknown`.
   */
  dispose(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** A connection to an actor: each action is a method. */
export type ActorConn<AD extends AnyActorDefinition> = ActorConnRaw<AD> & ActionsOf<AD, keyof ActorConnRaw>;

/** Makes handles of one kind of actor: `client.counter`. */
export interface ActorAccessor<AD extends AnyActorDefinition> {
  /** The living actor with this key; calls fail with `actor.not_found` where there is none. */
  get(key?: ActorKey, options?: GetOptions<AD>): ActorHandle<AD>;
  /** The actor with this key, created by the first call where there is none. */
  getOrCreate(key?: ActorKey, options?: GetOrCreateOptions<AD>): ActorHandle<AD>;
  /** The actor with this id, whatever its key; calls fail with `actor.not_found` once it was destroyed. */
  getForId(actorId: string, options?: GetWithIdOptions<AD>): ActorHandle<AD>;
  /** Creates an actor now; rejects with `actor.duplicate_key` where there is one. The handle is one by id. */
  create(key?: ActorKey, options?: CreateOptions<AD>): Promise<ActorHandle<AD>>;
}

/** The client's own members, beside its accessors: the same with the actor's name as an argument. */
export interface ClientRaw {
  get<AD extends AnyActorDefinition = AnyActorDefinition>(
    name: string,
    key?: ActorKey,
    options?: GetOptions<AD>,
  ): ActorHandle<AD>;
  getOrCreate<AD extends AnyActorDefinition = AnyActorDefinition>(
    name: string,
    key?: ActorKey,
    options?: GetOrCreateOptions<AD>,
  ): ActorHandle<AD>;
  getForId<AD extends AnyActorDefinition = AnyActorDefinition>(
    name: string,
    actorId: string,
    options?: GetWithIdOptions<AD>,
  ): ActorHandle<AD>;
  create<AD extends AnyActorDefinition = AnyActorDefinition>(
    name: string,
    key?: ActorKey,
    options?: CreateOptions<AD>,
  ): Promise<ActorHandle<AD>>;
  /** Disposes of all connections and ends the wait of all calls; later calls reject with `client.disposed`. */
  dispose(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** A client of the actors of a registry: `client.counter.getOrCreate(["a"]).increment(1)`. */
export type Client<R extends Registry = Registry> = ClientRaw & {
  readonly [N in keyof ExtractActorsFromRegistry<R> as Exclude<N, keyof ClientRaw>]: ActorAccessor<
    ExtractActorsFromRegistry<R>[N]
  >;
} & {
  /** A phantom: never there at run time. */
  readonly "~registry"?: R;
};

/** The registry whose actors a client reaches. */
export type ExtractRegistryFromClient<C extends { readonly "~registry"?: Registry }> = NonNullable<
  C["~registry"]
>;
