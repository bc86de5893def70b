/**
 * The client protocol, version 1, on a WebSocket: what a client and a gateway say to each other.
 *
 * The first message each way (`Hello`, then `Welcome` or `Refusal`) is JSON text for ever; it settles version and
 * encoding. Every later message is one frame in that encoding: JSON as text, CBOR as binary. Values inside frames
 * (`args`, `output`, `params`, `input`, `metadata`) are encoded as `values/` says.
 *
 * A client may send frames behind its hello without waiting. Frames of one connection are taken in the order sent, so
 * a subscription is in force before an action that was sent after it starts.
 */

export const PROTOCOL_VERSION = 1;
/** The versions that this build speaks, newest first. */
export const PROTOCOL_VERSIONS: readonly number[] = [1];
/** The WebSocket subprotocol that a client offers and a gateway answers. */
export const SUBPROTOCOL = "troupe";
/** A browser can't set headers on a WebSocket: its token travels as the subprotocol `troupe.token.<base64url>`. */
export const TOKEN_SUBPROTOCOL_PREFIX = "troupe.token.";
/** The connection parameters of a raw WebSocket, as a subprotocol: this, and their JSON in base64url. */
export const PARAMS_SUBPROTOCOL_PREFIX = "troupe.params.";

/** How frames and bodies are encoded. */
export type Encoding = "json" | "cbor";
/** The encodings that this build speaks. */
export const ENCODINGS: readonly Encoding[] = ["json", "cbor"];

/** What travels for an error. `metadata` is an encoded value like any other. */
export interface WireError {
  readonly group: string;
  readonly code: string;
  readonly message: string;
  readonly metadata?: unknown;
  readonly retryable: boolean;
}

/** The first message of a client. */
export interface Hello {
  readonly kind: "hello";
  /** The versions that the client speaks, newest first. */
  readonly versions: readonly number[];
  readonly encoding: Encoding;
  readonly params?: unknown;
  /** Input for `getOrCreate`, used when this connection creates the actor. */
  readonly input?: unknown;
}

/** Accepts a hello. */
export interface Welcome {
  readonly kind: "welcome";
  readonly version: number;
  readonly actorId: string;
  readonly connectionId: string;
  /** The gateway closes a connection that was silent for twice this long; a client should do the same. */
  readonly heartbeatMs: number;
  /** The most that a message of the client may have on this connection, bytes. Absent: the gateway doesn't say. */
  readonly maxIncomingBytes?: number;
}

/** Answers a hello that isn't accepted; the socket is closed behind it. No frame sent with the hello was acted on. */
export interface Refusal {
  readonly kind: "refusal";
  readonly error: WireError;
  /** With `protocol.version_unsupported`: what the gateway speaks. */
  readonly versions?: readonly number[];
}

/** Calls an action; answered by a reply or an error of the same id. */
export interface ActionFrame {
  readonly kind: "action";
  /** Chosen by the client, unique among its calls in flight on this connection. */
  readonly id: number;
  readonly name: string;
  readonly args: readonly unknown[];
  /** What is left of the caller's time; absent for no limit. */
  readonly timeoutMs?: number;
  /** One name for this call, however often it is sent: it is applied once. See http.ts. */
  readonly idempotencyKey?: string;
  /** See `CallTerms`. */
  readonly ticket?: string;
}

/**
 * Puts a message into a queue; answered by a reply whose output is a {@link SendOutcome}, or an error of the same id. The
 * answer says that the message is durable, and with `wait` that it was handled, or that nobody waits any longer.
 */
export interface SendFrame extends SendOptions {
  readonly kind: "send";
  readonly id: number;
  /** The queue. */
  readonly name: string;
  /** Absent for `undefined`. */
  readonly body?: unknown;
}

/** How a message is sent. */
export interface SendOptions {
  /** Answer when the message was handled. */
  readonly wait?: boolean;
  /** With `wait`: how long. Absent: for as long as it takes. */
  readonly timeoutMs?: number;
  /**
   * Names this message among all that are sent to the actor, so that it can be sent again: it is in the queue once, and
   * whoever comes with its ticket waits for the one reply. 1 to 64 of A-Z, a-z, 0-9, _ and -.
   */
  readonly ticket?: string;
}

/** What became of a message. */
export interface SendOutcome {
  /** `completed`: it is durable, and with `wait` it was handled. `timedOut`: nobody waits any longer. */
  readonly status: "completed" | "timedOut";
  /** What it was completed with. */
  readonly response?: unknown;
}

/** Asks for an event; answered by a subscribed or an error of the same id. */
export interface SubscribeFrame {
  readonly kind: "subscribe";
  readonly id: number;
  readonly event: string;
  /** The client has retained events of this actor up to a sequence, and wants what it has missed. */
  readonly resume?: { readonly actorId: string; readonly after: number };
}

/** Ends a subscription; not answered. */
export interface UnsubscribeFrame {
  readonly kind: "unsubscribe";
  readonly event: string;
}

/** Answered by a pong at once, whatever the actor is doing. */
export interface PingFrame {
  readonly kind: "ping";
}

/**
 * The client takes so many more items of a streamed result; `limits.streamItems` may come without any. About a call that
 * isn't there (it has ended meanwhile) it does nothing.
 */
export interface CreditFrame {
  readonly kind: "credit";
  readonly id: number;
  readonly items: number;
}

/**
 * The caller of an action waits no longer: the action is told, and is answered all the same. Of a streamed result nothing
 * follows. About a call that has its answer it does nothing.
 */
export interface CancelFrame {
  readonly kind: "cancel";
  readonly id: number;
}

/** What a client sends after its hello. */
export type ClientFrame =
  | ActionFrame
  | SendFrame
  | SubscribeFrame
  | UnsubscribeFrame
  | PingFrame
  | CreditFrame
  | CancelFrame;

/** The answer to an action. It was gated: what the action wrote is durable. */
export interface ReplyFrame {
  readonly kind: "reply";
  readonly id: number;
  /** Absent for `undefined`. */
  readonly output?: unknown;
}

/** An item of an action's streamed result, instead of a reply. Gated as one. */
export interface ItemFrame {
  readonly kind: "item";
  readonly id: number;
  /** Absent for `undefined`. */
  readonly item?: unknown;
}

/** The end of a streamed result; an error ends it as well. */
export interface EndFrame {
  readonly kind: "end";
  readonly id: number;
}

/** The failure of an action or a subscription; without `id`, of the connection, which is closed behind it. */
export interface ErrorFrame {
  readonly kind: "error";
  readonly id?: number;
  readonly error: WireError;
}

/** The subscription is in force. Behind the events that the client had missed, where it gets them. */
export interface SubscribedFrame {
  readonly kind: "subscribed";
  readonly id: number;
  /** The event is retained: what comes now is behind this one. */
  readonly sequence?: number;
  /** What the client had missed isn't there any more. Absent for false. */
  readonly gap?: boolean;
}

/** An event that the client has subscribed to. */
export interface EventFrame {
  readonly kind: "event";
  readonly name: string;
  readonly args: readonly unknown[];
  /** Its place among the retained events of its name, from 1; absent for one that isn't retained. */
  readonly sequence?: number;
}

/** Answers a ping. */
export interface PongFrame {
  readonly kind: "pong";
}

/** What a gateway sends after its welcome. */
export type ServerFrame =
  | ReplyFrame
  | ItemFrame
  | EndFrame
  | ErrorFrame
  | SubscribedFrame
  | EventFrame
  | PongFrame;

/**
 * Why a gateway closes a socket. The reason's text is `group.code`.
 */
export const closeCodes = {
  /** The client or the actor is done. */
  normal: 1000,
  /** A frame that isn't one, or out of turn. */
  protocolError: 1002,
  /** Refused: authentication, unknown actor, a limit of the connection. */
  policy: 1008,
  messageTooBig: 1009,
  /** The actor broke: a commit failed. */
  internal: 1011,
  /** The host stops; connect again. */
  restart: 1012,
  /** The client doesn't read, or the gateway is full: connect again later. */
  tryLater: 1013,
} as const;

/** Reasons that the gateway closes a link with and that tell the client what to do; others are for people. */
export const closeReasons = {
  /** With 1000. The actor is gone for good. */
  destroyed: "actor.destroyed",
  /**
   * With 1012. The actor stops, and everything that it was asked on this link has its answer: what has none was not
   * acted on, and can go again.
   */
  restarting: "actor.restarting",
  /** With 1012. The actor stops, and something that it was asked is left behind: nobody knows what becomes of it. */
  leftBehind: "actor.left_behind",
  /**
   * With 1011. A write of the actor failed, and everything that it was asked on this link has its answer: what has none was
   * not acted on, and can go again.
   */
  broken: "actor.broken",
} as const;
