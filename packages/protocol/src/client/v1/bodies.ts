/**
 * The bodies of HTTP requests and answers; what they mean is in `http.ts`.
 */
import { protocolErrors } from "../../errors.ts";
import { encodeCborWithin } from "../../values/cbor.ts";
import { encodeJson, encodeJsonWithin } from "../../values/json-write.ts";
import { readDocument } from "../../values/text.ts";
import { pickError } from "./codec.ts";
import type { Encoding, WireError } from "./frames.ts";
import type { ActionAnswer, ActionBody, ResolveAnswer, ResolveBody, SendBody } from "./http.ts";
import {
  compact,
  decodeShape,
  FRAME_DEPTH,
  type Message,
  readArgs,
  readError,
  readSend,
  readString,
  type Shape,
  ticketOf,
} from "./shape.ts";

/** The body of a failure. */
export interface ErrorBody {
  readonly error: WireError;
}

/** What each kind of body holds. */
export interface Bodies {
  readonly action: ActionBody;
  readonly actionAnswer: ActionAnswer | ErrorBody;
  readonly send: SendBody;
  readonly resolve: ResolveBody;
  readonly resolveAnswer: ResolveAnswer | ErrorBody;
}

/** A kind of HTTP body. */
export type BodyKind = keyof Bodies;

/** A body as text (JSON) or bytes (CBOR). Throws group `value` when a user's value can't be sent. */
export function encodeBody(body: Bodies[BodyKind], encoding: Encoding): Message {
  const whole = compact("error" in body ? { error: pickError(body.error) } : body);
  if (encoding === "cbor") return encodeCborWithin(whole, "", FRAME_DEPTH);
  return encodeJsonWithin(whole, "", FRAME_DEPTH);
}

/** The same as `encodeBody({ output }, encoding)`, faster. */
export function encodeActionAnswer(output: unknown, encoding: Encoding): Message {
  if (encoding === "cbor") return encodeBody({ output }, encoding);
  return output === undefined ? "{}" : `{"output":${encodeJson(output, "output")}}`;
}

/**
 * Reads a body of `kind`. JSON may come as text or as UTF-8; a request without a body is an empty one. Throws
 * `protocol.malformed_frame` or group `value`.
 */
export function decodeBody<K extends BodyKind>(kind: K, body: Message, encoding: Encoding): Bodies[K] {
  if (body.length === 0) return readers[kind]({});
  const data = encoding === "json" && typeof body !== "string" ? decodeText(body) : body;
  return readers[kind](decodeShape(data, encoding));
}

const readers: { readonly [K in BodyKind]: (shape: Shape) => Bodies[K] } = {
  action: (shape) => {
    const args = shape.args === undefined ? undefined : readArgs(shape);
    const ticket = ticketOf(shape.ticket);
    return compact({ args, params: shape.params, input: shape.input, ticket }) as ActionBody;
  },
  actionAnswer: (shape) =>
    shape.error === undefined ? compact({ output: shape.output }) : { error: readError(shape) },
  send: (shape) => ({ ...readSend(shape), ...compact({ params: shape.params, input: shape.input }) }),
  resolve: (shape) => compact({ input: shape.input, params: shape.params }),
  resolveAnswer: (shape) =>
    shape.error === undefined ? { actorId: readString(shape, "actorId") } : { error: readError(shape) },
};

function decodeText(body: Uint8Array): string {
  try {
    return readDocument(body);
  } catch (cause) {
    throw protocolErrors.malformedFrame("it isn't UTF-8", cause);
  }
}
