/**
 * What comes to an actor in a protocol of its own: raw WebSockets.
 *
 * The gateway carries bytes both ways and knows nothing of what they say; the actor's gate decides when one leaves.
 * Whoever takes such a request calls `opened` or `refused`, once.
 */
import type { Message } from "./transport.ts";

/** A request in the actor's own protocol. Other kinds join here, each with `refused`. */
export type RawRequest = RawSocketRequest;

/** Somebody has opened a WebSocket at the actor's `/websocket`. */
export interface RawSocketRequest {
  readonly kind: "socket";
  /** Connection parameters. */
  readonly params: unknown;
  /** The request that opened it, under the actor's own path. */
  readonly request: () => Request;
  /** The subprotocol that was agreed on; empty for none. */
  readonly protocol: string;
  readonly peer: RawPeer;
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
  /** Bytes that were sent and not yet handed to the operating system. */
  readonly bufferedBytes: number;
}

/** An actor's end of a raw socket, as the gateway uses it. */
export interface RawSocket {
  /** A message from the client may have this many bytes. */
  readonly maxIncomingBytes: number;
  /** A message from the client. The bytes are the actor's from now on. */
  message(data: Message): void;
  /** Once, and last. */
  closed(code: number, reason: string): void;
}
