/**
 * What stays of a client while its actor sleeps.
 *
 * The socket stays with the gateway, in memory; what the connection is (parameters, state, subscriptions) is a row of the
 * actor. An activation that ends gives its clients to the host under their connection ids; the next one takes them, and
 * matches them with its rows. A row without a client is a connection whose socket is gone: it was closed meanwhile, or
 * died with an earlier process. So nothing of this has to be durable but the rows.
 */
import type { ActorConnection, ActorInstance, ConnectionSink } from "./instance.ts";
import type { RawPeer, RawSocket } from "./raw.ts";

/** Clients of actors that sleep. */
export interface Hibernation {
  keep(actorId: string, connectionId: string, client: HibernatingClient): void;
  /** All of one actor, by connection id: they are the activation's from now on. */
  take(actorId: string): ReadonlyMap<string, HibernatingClient>;
  /** True when there is one. */
  has(actorId: string): boolean;
  /** The client is gone. */
  forget(actorId: string, connectionId: string): void;
}

/** A client at the gateway that outlives activations. */
export type HibernatingClient = ConnectionClient | SocketClient;

interface Client {
  /** The activation ends without it: it belongs to nobody, until it is resumed. False: it is gone itself. */
  hibernate(connectionId: string): boolean;
  /** The next activation has its row: told before anything else of that activation's, which may fail to start. */
  known?(kept: Kept): void;
  /** The next activation knows nothing of it. */
  unknown(): void;
}

/** What is stored of a client, as far as others may know. */
export interface Kept {
  readonly params: unknown;
  readonly subscriptions: readonly string[];
}

/** A client that speaks the house's protocol. */
export interface ConnectionClient extends Client, ConnectionSink {
  readonly kind: "connection";
  /** The next activation has it, and accepts calls. */
  resumed(instance: ActorInstance, connection: ActorConnection): void;
}

/** A raw socket's client. */
export interface SocketClient extends Client {
  readonly kind: "socket";
  readonly peer: RawPeer;
  /** As above; what was not acknowledged is said to it again, under the same index. */
  resumed(instance: ActorInstance, socket: RawSocket): void;
}
