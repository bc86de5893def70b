/**
 * ClientTransport: how handles and connections reach actors.
 *
 * The default speaks HTTP and WebSocket (http/). A runtime gives the clients inside its actors one that calls its
 * gateway directly. A transport makes one attempt: retries, reconnection, queues and aborted waits are its user's.
 *
 * Errors are TroupeErrors. One that is `retryable` says that the call surely had no effect; a transport that can't
 * know says `client.outcome_unknown`.
 */
import type { Message, ResolveMethod, SendOptions, SendOutcome } from "@troupe/protocol";
import type { UniversalWebSocket } from "./raw/universal-web-socket.ts";

/** The actor that a call is for. */
export type ActorTarget = KeyTarget | IdTarget;

/** An actor by name and key. */
export interface KeyTarget {
  readonly kind: "key";
  readonly name: string;
  readonly key: readonly string[];
  /** What to do where there is none. "create" goes to `resolve` alone. */
  readonly method: ResolveMethod;
  /** The input of the actor if this call creates it. */
  readonly input?: unknown;
}

/** An actor by id. */
export interface IdTarget {
  readonly kind: "id";
  /** The name under which the caller knows it: for messages. */
  readonly name: string;
  readonly actorId: string;
}

/** What goes with each call. */
export interface TransportCallOptions {
  readonly params?: unknown;
  /** The caller waits no longer. What can be cancelled should be; the answer is dropped in any case. */
  readonly signal?: AbortSignal | undefined;
  /** What is left of the caller's time, milliseconds. */
  readonly timeoutMs?: number | undefined;
  /** Of an action: it may be sent more than once, and is applied once. */
  readonly idempotencyKey?: string | undefined;
  /** With a key: what all attempts of one call have in common, and nobody else knows. */
  readonly ticket?: string | undefined;
}

/** What goes with a connection. Its parameters travel in the hello. */
export interface TransportConnectOptions {
  /** Nobody wants the link any longer. */
  readonly signal?: AbortSignal | undefined;
}

/** A message for a queue. */
export interface QueueSend extends SendOptions {
  /** The queue. */
  readonly name: string;
  readonly body: unknown;
}

/** Carries calls and connections to actors. */
export interface ClientTransport {
  /**
   * An answer may be lost on the way though the call was carried out. Messages are named then, so that they can be sent again.
   */
  readonly losesAnswers?: boolean;
  /** How many calls may be on their way at once; the client holds the others back. Any number by default. */
  readonly attemptsAtOnce?: number;
  /** Calls an action once and gives its result. */
  action(
    target: ActorTarget,
    name: string,
    args: readonly unknown[],
    options: TransportCallOptions,
  ): Promise<unknown>;
  /** Puts a message into a queue, once for each ticket, and says what became of it. */
  send(target: ActorTarget, message: QueueSend, options: TransportCallOptions): Promise<SendOutcome>;
  /** Ends the activation of a dynamic actor, so that the next one loads its source; absent where there is no such way. */
  reload?(target: ActorTarget, options: TransportCallOptions): Promise<void>;
  /** The actor's id, found or created as the target says. */
  resolve(target: ActorTarget, options: TransportCallOptions): Promise<string>;
  /**
   * Opens a link on which the client protocol is spoken, and settles when messages can be sent. Rejects with a
   * retryable error when the other end can't be reached, with any other when it never will be.
   */
  connect(target: ActorTarget, options: TransportConnectOptions): Promise<ClientLink>;
  /** Sees each promise that its client hands out, which may be forgotten. By default that is the platform's matter. */
  observed?(promise: Promise<unknown>, what: string): void;
  /** The actors' own protocols; absent where there is no such way. */
  readonly raw?: RawTransport;
}

/** Carries what actors say in protocols of their own. */
export interface RawTransport {
  /** A socket that begins to open. Throws `client.*`, and what the platform says of `protocols`. */
  webSocket(target: ActorTarget, options: RawSocketOptions): UniversalWebSocket;
  /**
   * Sends a request to the actor, and settles with the answer's head. Rejects with `client.not_sent` when surely nothing
   * was sent, with `client.outcome_unknown` when that isn't known.
   */
  fetch(target: ActorTarget, options: RawFetchOptions): Promise<Response>;
  /** The address of an actor, without a path. Throws `client.raw_unsupported` where there is none. */
  address(actorId: string): string;
}

/** What a raw HTTP request is sent with. */
export interface RawFetchOptions {
  /** Behind the actor's `/request`, maybe with a query. */
  readonly path: string;
  /** Its headers are a `Headers` of its own, and its signal the one that ends it. */
  readonly init: RequestInit & { readonly headers: Headers };
  readonly params: unknown;
}

/** What a raw socket is opened with. */
export interface RawSocketOptions {
  /** Behind the actor's `/websocket`, maybe with a query. */
  readonly path: string;
  readonly protocols: readonly string[];
  readonly params: unknown;
}

/** Receives what a link brings. */
export interface ClientLinkHandler {
  message(data: Message): void;
  /** Once, and last. `code` as RFC 6455 7.4; 1006 when the link just broke. */
  closed(code: number, reason: string): void;
}

/** A two-way, ordered stream of messages: the shape of the runtime's `Link`. */
export interface ClientLink {
  /** Where messages go from now on. Messages that came earlier are delivered first, in order. */
  attach(handler: ClientLinkHandler): void;
  /** Never throws: on a closed link it does nothing. */
  send(data: Message): void;
  /** `closed` follows, at once or when the other end has agreed. */
  close(code: number, reason: string): void;
}
