/**
 * Frames to messages and back; what frames mean is in `frames.ts`.
 *
 * A frame is encoded as one value. Replies and events are the hot path of a gateway, so their JSON is put together
 * around the encoded value of the user; the text is the same as that of the whole frame.
 */
import { unreachable } from "@troupe/base";
import { protocolErrors } from "../../errors.ts";
import { encodeCborBounded, encodeCborWithin } from "../../values/cbor.ts";
import { encodeJson, encodeJsonWithin } from "../../values/json-write.ts";
import type { ActionFrame, ClientFrame, Encoding, ErrorFrame, ServerFrame, WireError } from "./frames.ts";
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
} from "./shape.ts";

/** The message of a frame to a client. Throws group `value` when a user's value can't be sent. */
export function encodeServerFrame(frame: ServerFrame, encoding: Encoding): Message {
  switch (frame.kind) {
    case "reply":
      return encodeReply(frame.id, frame.output, encoding);
    case "event":
      return encodeEvent(frame.name, frame.args, encoding);
    case "error":
      return encodeFrame(errorFrame(frame), encoding);
    case "item":
      return encodeItem(frame.id, frame.item, encoding);
    case "subscribed":
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

/** The same as `encodeServerFrame({ kind: "event", name, args }, encoding)`, faster. */
export function encodeEvent(name: string, args: readonly unknown[], encoding: Encoding): Message {
  if (encoding === "cbor") return encodeCborWithin({ kind: "event", name, args }, "", FRAME_DEPTH);
  return `{"kind":"event","name":${JSON.stringify(name)},"args":${encodeJson(args, "args")}}`;
}

/** The same in CBOR for an event that may have `maxBytes`: of one that has more, how many it has at the least. */
export function encodeEventUpTo(
  name: string,
  args: readonly unknown[],
  maxBytes: number,
): Uint8Array | number {
  return encodeCborBounded({ kind: "event", name, args }, "", { maxDepth: FRAME_DEPTH, maxBytes });
}

/** The frame that a client sent. Throws `protocol.malformed_frame` or group `value`. */
export function decodeClientFrame(data: Message, encoding: Encoding): ClientFrame {
  const shape = decodeShape(data, encoding);
  switch (shape.kind) {
    case "action":
      return {
        kind: "action",
        id: readId(shape),
        name: readMemberName(shape, "name"),
        args: readArgs(shape),
        ...readCallTerms(shape),
      };
    case "send":
      return {
        kind: "send",
        id: readId(shape),
        name: readMemberName(shape, "name"),
        ...readSend(shape),
      };
    case "subscribe":
      return { kind: "subscribe", id: readId(shape), event: readMemberName(shape, "event") };
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
      return encodeFrame({ kind: "subscribe", id: frame.id, event: frame.event }, encoding);
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
      return { kind: "event", name: readMemberName(shape, "name"), args: readArgs(shape) };
    case "error":
      return shape.id === undefined
        ? { kind: "error", error: readError(shape) }
        : { kind: "error", id: readId(shape), error: readError(shape) };
    case "subscribed":
      return { kind: "subscribed", id: readId(shape) };
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
  const { id, name, args, timeoutMs, idempotencyKey } = frame;
  if (encoding === "cbor" || timeoutMs !== undefined || idempotencyKey !== undefined) {
    const terms = {
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
      ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
    };
    return encodeFrame({ kind: "action", id, name, args, ...terms }, encoding);
  }
  return `{"kind":"action","id":${id},"name":${JSON.stringify(name)},"args":${encodeJson(args, "args")}}`;
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
