/**
 * Frames to messages and back; what frames mean is in `frames.ts`.
 *
 * A frame is encoded as one value. Replies and events are the hot path of a gateway, so their JSON is put together
 * around the encoded value of the user; the text is the same as that of the whole frame.
 */
import { unreachable } from "@troupe/base";
import { protocolErrors } from "../../errors.ts";
import { encodeCborBounded, encodeCborWithin } from "../../values/cbor.ts";
import { isRecord } from "../../values/error-value.ts";
import { encodeJson, encodeJsonWithin } from "../../values/json-write.ts";
import type {
  ActionFrame,
  ClientFrame,
  Encoding,
  ErrorFrame,
  EventFrame,
  ServerFrame,
  SubscribedFrame,
  SubscribeFrame,
  WireError,
} from "./frames.ts";
import {
  compact,
  decodeShape,
  FRAME_DEPTH,
  type Message,
  readArgs,
  readCallTerms,
  readCount,
  readError,
  readId,
  readMemberName,
  readSend,
  readSequence,
  readString,
  type Shape,
} from "./shape.ts";

/** The message of a frame to a client. Throws group `value` when a user's value can't be sent. */
export function encodeServerFrame(frame: ServerFrame, encoding: Encoding): Message {
  switch (frame.kind) {
    case "reply":
      return encodeReply(frame.id, frame.output, encoding);
    case "event":
      return encodeEvent(frame.name, frame.args, encoding, frame.sequence);
    case "error":
      return encodeFrame(errorFrame(frame), encoding);
    case "item":
      return encodeItem(frame.id, frame.item, encoding);
    case "subscribed":
      return encodeFrame(subscribedFrame(frame), encoding);
    case "end":
      return encodeFrame({ kind: frame.kind, id: frame.id }, encoding);
    case "pong":
      return encodeFrame({ kind: "pong" }, encoding);
    default:
      return unreachable(frame);
  }
}

/** The same as `encodeServerFrame({ kind: "reply", id, output }, encoding)`, faster. */
export function encodeReply(id: number, output: unknown, encoding: Encoding): Message {
  if (encoding === "cbor") {
    const frame = output === undefined ? { kind: "reply", id } : { kind: "reply", id, output };
    return encodeCborWithin(frame, "", FRAME_DEPTH);
  }
  if (output === undefined) return `{"kind":"reply","id":${id}}`;
  return `{"kind":"reply","id":${id},"output":${encodeJson(output, "output")}}`;
}

/** The same as `encodeServerFrame({ kind: "item", id, item }, encoding)`, faster. */
export function encodeItem(id: number, item: unknown, encoding: Encoding): Message {
  if (encoding === "cbor") {
    const frame = item === undefined ? { kind: "item", id } : { kind: "item", id, item };
    return encodeCborWithin(frame, "", FRAME_DEPTH);
  }
  if (item === undefined) return `{"kind":"item","id":${id}}`;
  return `{"kind":"item","id":${id},"item":${encodeJson(item, "item")}}`;
}

/** The same as `encodeServerFrame({ kind: "event", name, args, sequence }, encoding)`, faster. */
export function encodeEvent(
  name: string,
  args: readonly unknown[],
  encoding: Encoding,
  sequence?: number,
): Message {
  if (encoding === "cbor") {
    const frame =
      sequence === undefined ? { kind: "event", name, args } : { kind: "event", name, args, sequence };
    return encodeCborWithin(frame, "", FRAME_DEPTH);
  }
  const place = sequence === undefined ? "" : `,"sequence":${sequence}`;
  return `{"kind":"event","name":${JSON.stringify(name)},"args":${encodeJson(args, "args")}${place}}`;
}

/** The same in CBOR for an event that may have `maxBytes`: of one that has more, how many it has at the least. */
export function encodeEventUpTo(
  event: { readonly name: string; readonly args: readonly unknown[]; readonly sequence?: number | undefined },
  maxBytes: number,
): Uint8Array | number {
  const { name, args, sequence } = event;
  const frame =
    sequence === undefined ? { kind: "event", name, args } : { kind: "event", name, args, sequence };
  return encodeCborBounded(frame, "", { maxDepth: FRAME_DEPTH, maxBytes });
}

/** The frame that a client sent. Throws `protocol.malformed_frame` or group `value`. */
export function decodeClientFrame(data: Message, encoding: Encoding): ClientFrame {
  const shape = decodeShape(data, encoding);
  switch (shape.kind) {
    case "action":
      return readAction(shape);
    case "send":
      return {
        kind: "send",
        id: readId(shape),
        name: readMemberName(shape, "name"),
        ...readSend(shape),
      };
    case "subscribe":
      return readSubscribe(shape);
    case "unsubscribe":
      return { kind: "unsubscribe", event: readMemberName(shape, "event") };
    case "ping":
      return { kind: "ping" };
    case "credit":
      return { kind: "credit", id: readId(shape), items: readCount(shape, "items") };
    case "cancel":
      return { kind: "cancel", id: readId(shape) };
    default:
      throw unknownKind(shape.kind);
  }
}

/** The message of a frame to a gateway. Throws group `value` when a user's value can't be sent. */
export function encodeClientFrame(frame: ClientFrame, encoding: Encoding): Message {
  switch (frame.kind) {
    case "action":
      return encodeAction(frame, encoding);
    case "send":
      return encodeFrame(compact(frame), encoding);
    case "subscribe":
      return encodeFrame(subscribeFrame(frame), encoding);
    case "unsubscribe":
      return encodeFrame({ kind: "unsubscribe", event: frame.event }, encoding);
    case "ping":
      return encodeFrame({ kind: "ping" }, encoding);
    case "credit":
      return encodeFrame({ kind: "credit", id: frame.id, items: frame.items }, encoding);
    case "cancel":
      return encodeFrame({ kind: "cancel", id: frame.id }, encoding);
    default:
      return unreachable(frame);
  }
}

/** The frame that a gateway sent. Throws `protocol.malformed_frame` or group `value`. */
export function decodeServerFrame(data: Message, encoding: Encoding): ServerFrame {
  const shape = decodeShape(data, encoding);
  switch (shape.kind) {
    case "reply":
      return shape.output === undefined
        ? { kind: "reply", id: readId(shape) }
        : { kind: "reply", id: readId(shape), output: shape.output };
    case "item":
      return shape.item === undefined
        ? { kind: "item", id: readId(shape) }
        : { kind: "item", id: readId(shape), item: shape.item };
    case "end":
      return { kind: "end", id: readId(shape) };
    case "event":
      return withSequence(
        { kind: "event", name: readMemberName(shape, "name"), args: readArgs(shape) },
        shape,
      );
    case "error":
      return shape.id === undefined
        ? { kind: "error", error: readError(shape) }
        : { kind: "error", id: readId(shape), error: readError(shape) };
    case "subscribed":
      return readSubscribed(shape);
    case "pong":
      return { kind: "pong" };
    default:
      throw unknownKind(shape.kind);
  }
}

/** An error as it goes into frames and bodies: its own properties, and no others that the object may have. */
export function pickError(error: WireError): WireError {
  const { group, code, message, metadata, retryable } = error;
  return compact({ group, code, message, retryable, metadata });
}

function encodeAction(frame: ActionFrame, encoding: Encoding): Message {
  const { id, name, args, timeoutMs, idempotencyKey, ticket } = frame;
  if (encoding === "cbor" || timeoutMs !== undefined || idempotencyKey !== undefined) {
    const terms = {
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
      ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
      ...(ticket === undefined ? {} : { ticket }),
    };
    return encodeFrame({ kind: "action", id, name, args, ...terms }, encoding);
  }
  return `{"kind":"action","id":${id},"name":${JSON.stringify(name)},"args":${encodeJson(args, "args")}}`;
}

function readAction(shape: Shape): ActionFrame {
  const id = readId(shape);
  const frame = { kind: "action", id, name: readMemberName(shape, "name"), args: readArgs(shape) } as const;
  const terms = readCallTerms(shape);
  return terms === undefined ? frame : { ...frame, ...terms };
}

function readSubscribe(shape: Shape): ClientFrame {
  const frame = { kind: "subscribe", id: readId(shape), event: readMemberName(shape, "event") } as const;
  if (shape.resume === undefined) return frame;
  if (!isRecord(shape.resume)) throw protocolErrors.malformedFrame("`resume` isn't an object");
  const resume = {
    actorId: readString(shape.resume, "actorId"),
    after: readSequence(shape.resume, "after"),
  };
  return { ...frame, resume };
}

/** A frame as it goes out: its own properties, and no others that the object may have. */
function subscribeFrame({ id, event, resume }: SubscribeFrame): SubscribeFrame {
  if (resume === undefined) return { kind: "subscribe", id, event };
  return { kind: "subscribe", id, event, resume: { actorId: resume.actorId, after: resume.after } };
}

function subscribedFrame({ id, sequence, gap }: SubscribedFrame): SubscribedFrame {
  return {
    kind: "subscribed",
    id,
    ...(sequence === undefined ? {} : { sequence }),
    ...(gap === true ? { gap } : {}),
  };
}

function readSubscribed(shape: Shape): SubscribedFrame {
  const frame = withSequence<SubscribedFrame>({ kind: "subscribed", id: readId(shape) }, shape);
  return shape.gap === true ? { ...frame, gap: true } : frame;
}

function withSequence<Frame extends EventFrame | SubscribedFrame>(frame: Frame, shape: Shape): Frame {
  return shape.sequence === undefined ? frame : { ...frame, sequence: readSequence(shape, "sequence") };
}

function errorFrame(frame: ErrorFrame): ErrorFrame {
  const error = pickError(frame.error);
  return frame.id === undefined ? { kind: "error", error } : { kind: "error", id: frame.id, error };
}

function encodeFrame(frame: ClientFrame | ServerFrame, encoding: Encoding): Message {
  if (encoding === "cbor") return encodeCborWithin(frame, "", FRAME_DEPTH);
  return encodeJsonWithin(frame, "", FRAME_DEPTH);
}

function unknownKind(kind: unknown): Error {
  if (typeof kind !== "string") return protocolErrors.malformedFrame("`kind` isn't a string");
  return protocolErrors.malformedFrame(`no frame is of kind ${JSON.stringify(kind.slice(0, 32))}`);
}
