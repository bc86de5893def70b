/** What a client says on its socket: read within the actor's limits, and timed. */
import {
  bytesPast,
  type ClientFrame,
  decodeClientFrame,
  decodeHello,
  type Encoding,
  type Hello,
  limits,
  type Message,
} from "@troupe/protocol";
import { connectionErrors, messageErrors } from "../errors.ts";
import type { ActorConnection, ActorInstance } from "../ports/instance.ts";
import type { Asleep } from "./asleep.ts";
import type { GatewayServices } from "./services.ts";
import type { AskedAction } from "./socket-actions.ts";
import { decodeTimed } from "./stall.ts";

/** Who reads. */
export interface FrameReader {
  readonly services: GatewayServices;
  readonly encoding: Encoding;
  readonly bounds: FrameBounds;
}

/** How long a frame may be, and for whom it is. */
export interface FrameBounds {
  readonly maxBytes: number;
  /** The actor's name, for the log. */
  readonly actor: string;
}

/** Throws `connection.hello_too_long`, and what can't be decoded. */
export function readHello({ env }: GatewayServices, data: Message, actor: () => string): Hello {
  const bytes = bytesPast(limits.helloBytes, data);
  if (bytes !== undefined) throw connectionErrors.helloTooLong(bytes, limits.helloBytes);
  return decodeTimed(
    env,
    data.length,
    () => decodeHello(data),
    () => ({ what: "hello", length: data.length, actor: actor() }),
  );
}

/** Throws `message.incoming_too_long`, and what can't be decoded. */
export function readFrame({ services, encoding, bounds }: FrameReader, data: Message): ClientFrame {
  const { maxBytes, actor } = bounds;
  const bytes = bytesPast(maxBytes, data);
  if (bytes !== undefined) throw messageErrors.incomingTooLong(bytes, maxBytes);
  return decodeTimed(
    services.env,
    data.length,
    () => decodeClientFrame(data, encoding),
    (decoded) => ({
      what: "frame",
      length: data.length,
      actor,
      action: decoded?.kind === "action" ? decoded.name : undefined,
    }),
  );
}

/** What is the actor's to answer, or to know. */
export type ActorFrame = ClientFrame & { readonly kind: "action" | "send" | "subscribe" | "unsubscribe" };

/** An action, or a message for a queue. */
export function askedBy(frame: ActorFrame & { readonly kind: "action" | "send" }): AskedAction {
  if (frame.kind === "action") return frame;
  const { kind: _, id, name, body, ...send } = frame;
  return { id, name, args: [body], send };
}

/** The bounds of what is said to an actor that is awake, or sleeps. */
export function boundsOf(
  state:
    | { readonly tag: "open"; readonly instance: ActorInstance; readonly connection: ActorConnection }
    | Asleep,
): FrameBounds {
  if (state.tag === "asleep") return { maxBytes: state.maxBytes, actor: state.actorName };
  return { maxBytes: state.connection.maxIncomingBytes, actor: state.instance.record.name };
}
