/**
 * `c`: what an actor's code sees of the runtime. The names and shapes are RivetKit's documented ones.
 */

import type { Client, Registry as ClientRegistry } from "@troupe/client";
import type { ActorLogger } from "./actor-log.ts";
import type { ActorTypes } from "./bag.ts";
import type { EventArgs, EventDeclarations, EventPayload } from "./event.ts";
import type { ActorKv } from "./kv.ts";
import type { QueueOf } from "./queue.ts";
import type { ActorCalls } from "./relay.ts";
import type { RuntimeSocketAddress } from "./runtime-socket.ts";
import type { ActorCron, Schedule } from "./schedule.ts";
import type { ActorWorkflows } from "./workflow.ts";

/** Passed last to `broadcast` and `send` through {@link unconfirmed}. */
export interface SendOptions {
  /** True: don't wait for the disk. For cursors and typing, where a message that outlives its cause does no harm. */
  readonly unconfirmed?: boolean;
}

/** The arguments of an event by name; anything where the actor declares no events. */
export type ArgsOf<E extends EventDeclarations, N extends string> = N extends keyof E
  ? EventArgs<EventPayload<E[N]>>
  : [...unknown[]];

/** Names of declared events; any string where none are declared. */
export type EventName<E extends EventDeclarations> = keyof E extends never ? string : keyof E & string;

/** A client that is connected to this actor. */
export interface Conn<T extends ActorTypes = ActorTypes> {
  readonly id: string;
  /** What the client sent when it connected. */
  readonly params: T["connParams"];
  /** The connection's own state: lives as long as the connection. */
  state: T["connState"];
  readonly isHibernatable: boolean;
  /**
   * True for a call or a request without a connection: it lasts as long as that, and hears no events. The connect hooks run for
   * it too, as they may refuse it; who counts those that are here passes it by.
   */
  readonly isStateless: boolean;
  /** Sends an event to this client alone, whether it has subscribed or not. Gated. */
  send<N extends EventName<T["events"]>>(name: N, ...args: ArgsOf<T["events"], N>): void;
  /** As `send`, but leaves at once, also while writes wait for the disk. */
  sendUnconfirmed<N extends EventName<T["events"]>>(name: N, ...args: ArgsOf<T["events"], N>): void;
  /** Closes the connection; settles when `onDisconnect` is done. */
  disconnect(reason?: string): Promise<void>;
}

/** Why an actor is awake, in words. */
export type AwakeReason = string;

/** Options of `c.saveState`. */
export interface SaveStateOptions {
  /** Settles only when everything written so far is durable. */
  readonly immediate?: boolean;
  /** Accepted for RivetKit's sake: state is always saved at once, so any deadline holds. Milliseconds. */
  readonly maxWait?: number;
}

/** What every hook and action is given first. */
export interface ActorContext<T extends ActorTypes = ActorTypes> extends ActorCalls {
  /**
   * The durable state. Assigning anywhere inside marks what changed; plain data is copied in. Use `c.snapshot()` for a
   * copy to keep.
   */
  state: T["state"];
  /** Values of this activation: never saved. */
  vars: T["vars"];
  readonly actorId: string;
  readonly name: string;
  readonly key: string[];
  readonly region: string;
  readonly conns: ReadonlyMap<string, Conn<T>>;
  readonly schedule: Schedule<T["actionNames"]>;
  /** Calls that this actor makes to itself again and again. */
  readonly cron: ActorCron<T["actionNames"]>;
  /** Keys and values on disk, in the actor's own order. */
  readonly kv: ActorKv;
  /** The actor's queues. What was taken is handled when this handler asks for the next message, or ends. */
  readonly queue: QueueOf<T["queues"]>;
  /** Workflows that are started by their names. Their calls throw `workflow.unavailable` where `run` is no workflow. */
  readonly workflows: ActorWorkflows;
  /** The actor's database. Where the definition has no `db` its type is `never`, and it throws `sql.no_database`. */
  readonly db: T["database"];
  readonly log: ActorLogger;
  /** Fires when the actor begins to stop. */
  readonly abortSignal: AbortSignal;
  readonly aborted: boolean;
  /** Why the actor doesn't sleep right now; empty when it is idle. */
  readonly awakeReasons: readonly AwakeReason[];
  /** The HTTP request that opened the connection; in the connect hooks alone, and only where HTTP was spoken. */
  readonly request?: Request | undefined;
  /** Sends an event to every client that has subscribed to it. Gated: it leaves when what was written is durable. */
  broadcast<N extends EventName<T["events"]>>(name: N, ...args: ArgsOf<T["events"], N>): void;
  /** As `broadcast`, but leaves at once, also while writes wait for the disk. For cursors and typing. */
  broadcastUnconfirmed<N extends EventName<T["events"]>>(name: N, ...args: ArgsOf<T["events"], N>): void;
  /** A plain copy of the state. */
  snapshot(): T["state"];
  /**
   * State is saved by itself. With `immediate` this is the barrier before I/O that the runtime can't see (sockets,
   * drivers, files): what was written is durable when it settles.
   */
  saveState(options?: SaveStateOptions): Promise<void>;
  /** Keeps the actor awake until `promise` settles, also through the grace period of a stop. */
  keepAwake<R>(promise: Promise<R>): Promise<R>;
  /** Lets a stop wait for `promise`; doesn't keep an idle actor awake. */
  waitUntil(promise: Promise<unknown>): void;
  /** Asks the runtime to put the actor to sleep now. */
  sleep(): void;
  /** Asks the runtime to end the actor for good. */
  destroy(): void;
  /**
   * Runs `fn` when nobody else is in, of an actor with `concurrency: "serial"`: for `run` and what else isn't an entry by
   * itself. Inside of an entry it runs at once. Rejects with `actor.not_serial` for other actors.
   */
  exclusive<R>(fn: () => R | Promise<R>): Promise<R>;
  /**
   * A Unix socket by which processes that the actor starts have its SQL, keys and values, state and events, for as long as it is
   * awake: give them its `env`. A connected process keeps the actor awake. Rejects with `runtime_socket.unavailable` where there
   * are none: in isolates, in workerd, on Windows.
   */
  runtimeSocket(): Promise<RuntimeSocketAddress>;
  /** A client for other actors of this registry: calls go straight, not through HTTP. */
  client<R extends ClientRegistry = ClientRegistry>(): Client<R>;
}

/** Contexts of actions and of hooks that concern one connection. */
export interface ConnContext<T extends ActorTypes = ActorTypes> extends ActorContext<T> {
  /** The caller's connection; for a stateless call one that lasts as long as the call. */
  readonly conn: Conn<T>;
}

/** Context of `onRequest`. */
export interface RequestContext<T extends ActorTypes = ActorTypes> extends ConnContext<T> {
  /** The request itself, and its body. */
  readonly request: Request;
  /** Fires when the client is gone, when `onRequest` took too long, and when the actor begins to stop. */
  readonly abortSignal: AbortSignal;
}

/** Before state exists. */
export type CreateStateContext<T extends ActorTypes> = Omit<
  ActorContext<T>,
  "state" | "vars" | "snapshot" | "conns"
>;

/** Before vars exist. */
export type CreateContext<T extends ActorTypes> = Omit<ActorContext<T>, "vars">;
