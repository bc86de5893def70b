/**
 * UniversalWebSocket: a standard WebSocket, as far as both ends of a raw socket have it: the one that `handle.webSocket()`
 * gives, and the one that an actor's `onWebSocket` is given.
 */

/** What the events of a WebSocket are called, and what they hold. */
export interface SocketEvents {
  readonly open: SocketEvent;
  readonly message: SocketMessageEvent;
  readonly close: SocketCloseEvent;
  readonly error: SocketEvent;
}

/** Any event of a WebSocket. */
export interface SocketEvent {
  readonly type: string;
}

/** A message. Binary ones are ArrayBuffers. */
export interface SocketMessageEvent extends SocketEvent {
  readonly data: string | ArrayBuffer;
  /**
   * At an actor, on a socket that hibernates: the message's number, from 1. A message that comes again, to the next
   * activation, has the same.
   */
  readonly rivetMessageIndex?: number;
}

/** The socket's end. */
export interface SocketCloseEvent extends SocketEvent {
  /** As RFC 6455 7.4; 1006 when the connection just broke. */
  readonly code: number;
  readonly reason: string;
  readonly wasClean: boolean;
}

/** Called with events of one kind. */
export type SocketListener<N extends keyof SocketEvents> = (event: SocketEvents[N]) => unknown;

/** A WebSocket. */
export interface UniversalWebSocket {
  readonly CONNECTING: 0;
  readonly OPEN: 1;
  readonly CLOSING: 2;
  readonly CLOSED: 3;
  readonly readyState: number;
  /** "arraybuffer" from the start, unlike a browser's. */
  binaryType: string;
  /** Bytes that were sent and have not left. */
  readonly bufferedAmount: number;
  /** The subprotocol that was agreed on; empty for none. */
  readonly protocol: string;
  readonly extensions: string;
  readonly url: string;
  onopen: SocketListener<"open"> | null;
  onmessage: SocketListener<"message"> | null;
  onclose: SocketListener<"close"> | null;
  onerror: SocketListener<"error"> | null;
  /** Does nothing once the socket closes. */
  send(data: string | ArrayBuffer | ArrayBufferView): void;
  close(code?: number, reason?: string): void;
  addEventListener<N extends keyof SocketEvents>(
    type: N,
    listener: SocketListener<N>,
    options?: { readonly once?: boolean },
  ): void;
  removeEventListener<N extends keyof SocketEvents>(type: N, listener: SocketListener<N>): void;
}
