/**
 * What comes to an actor in a protocol of its own: raw WebSockets, and HTTP requests.
 *
 * The gateway carries bytes both ways and knows nothing of what they say; the actor's gate decides when one leaves.
 * Whoever takes such a request calls `opened` or `refused`, once.
 */
import type { TroupeError } from "@troupe/base";
import type { FlowControl } from "./flow.ts";
import type { SocketClient } from "./hibernation.ts";
import type { Message } from "./transport.ts";

/** A request in the actor's own protocol. Other kinds join here, each with `refused`. */
export type RawRequest = RawSocketRequest | RawHttpRequest;

/** Somebody has opened a WebSocket at the actor's `/websocket`. */
export interface RawSocketRequest {
  readonly kind: "socket";
  /** Its connection's id, when somebody else has chosen it. */
  readonly id?: string;
  /** Connection parameters. */
  readonly params: unknown;
  /** The request that opened it, under the actor's own path. */
  readonly request: () => Request;
  /** The subprotocol that was agreed on; empty for none. */
  readonly protocol: string;
  readonly peer: RawPeer;
  /** Who keeps the socket while the actor sleeps; absent: it ends with the activation. */
  readonly client?: SocketClient | undefined;
  /** The actor has it: what the client sent meanwhile is given to `socket` now, in order. */
  opened(socket: RawSocket): void;
  /** It doesn't take it, and says why. */
  refused(cause: unknown): void;
}

/** The client's end of a raw socket, as an actor uses it. What is given to it has passed the gate. */
export interface RawPeer {
  /** Does nothing on a closed socket. */
  send(data: Message): void;
  /** `closed` of the socket follows, at once or when the client has agreed. */
  close(code: number, reason: string): void;
  /** A message has been handled, and what its handler wrote is durable: it is not said again. */
  acknowledge?(index: number): void;
  /** Bytes that were sent and not yet handed to the operating system. */
  readonly bufferedBytes: number;
}

/** An actor's end of a raw socket, as the gateway uses it. */
export interface RawSocket {
  /** A message from the client may have this many bytes. */
  readonly maxIncomingBytes: number;
  /** The gateway keeps each message until it is acknowledged, and says it again to the next activation. */
  readonly hibernatable?: boolean;
  /** A message from the client. `index` counts those of one socket, where they may be said again: then the bytes aren't to be changed. */
  message(data: Message, index?: number): void;
  /** Once, and last. */
  closed(code: number, reason: string): void;
}

/** Headers in their order; a name may come more than once. */
export type HeaderList = readonly (readonly [name: string, value: string])[];

/** What an HTTP request says before its body. */
export interface HttpRequestHead {
  readonly method: string;
  /** Absolute, under the actor's own path. */
  readonly url: string;
  readonly headers: HeaderList;
}

/** What an HTTP answer says before its body. */
export interface HttpAnswerHead {
  readonly status: number;
  readonly headers: HeaderList;
}

/** Bytes that somebody has and somebody else wants: nothing is read before it is asked for. */
export interface ByteSource {
  /** The next bytes, the reader's own from now on; undefined behind the last. Rejects when no more will come. One at a time. */
  read(): Promise<Uint8Array | undefined>;
  /** Nobody reads on. Also behind the end. */
  cancel(): void;
}

/** Somebody has sent an HTTP request to the actor's `/request`. */
export interface RawHttpRequest {
  readonly kind: "http";
  /** Connection parameters. */
  readonly params: unknown;
  readonly head: HttpRequestHead;
  /** Absent for a request without one. */
  readonly body: ByteSource | undefined;
  readonly peer: HttpPeer;
  /** The actor has it; its answer comes when it comes. */
  opened(exchange: HttpExchange): void;
  /** It doesn't take it, or failed before it answered, and says why. */
  refused(cause: unknown): void;
}

/** The client's end of a request, as an actor uses it. What is given to it has passed the gate. */
export interface HttpPeer {
  /** Once, first. */
  head(head: HttpAnswerHead): void;
  /** Bytes of the body: at most as many chunks as credit was given for. */
  chunk(bytes: Uint8Array): void;
  /** Nothing more comes. */
  end(): void;
  /** The body is broken off: what came of it must not pass for all of it. */
  reset(error: TroupeError): void;
}

/** An actor's end of a request, as the gateway uses it. `cancel`: the client is gone, or doesn't want the rest. */
export type HttpExchange = FlowControl;
