/**
 * The checks that every message passes: a decoded value is nobody's type until they have seen it. Properties that
 * aren't known are ignored, so that a later minor version may add some.
 */
import { TroupeError } from "@troupe/base";
import { protocolErrors } from "../../errors.ts";
import { limits } from "../../limits.ts";
import { decodeCborWithin } from "../../values/cbor.ts";
import { isRecord } from "../../values/error-value.ts";
import { decodeJsonWithin } from "../../values/json-read.ts";
import { type CallTerms, checkIdempotencyKey, checkTimeout } from "./call-terms.ts";
import type { Encoding, SendOptions, WireError } from "./frames.ts";

/** One message of a WebSocket: text or binary. */
export type Message = string | Uint8Array;

/** A decoded object that nothing is known of. */
export type Shape = Readonly<Record<string, unknown>>;

/** A frame holds a user's value at most two levels down: { error: { metadata } }. */
export const FRAME_DEPTH = limits.valueDepth + 2;

/** Decodes a message that must hold an object. `malformed` values become malformed messages. */
export function decodeShape(data: Message, encoding: Encoding): Shape {
  const value = decodeMessage(data, encoding);
  if (!isRecord(value)) throw protocolErrors.malformedFrame("it isn't an object");
  return value;
}

function decodeMessage(data: Message, encoding: Encoding): unknown {
  try {
    if (encoding === "json") {
      if (typeof data === "string") return decodeJsonWithin(data, FRAME_DEPTH);
    } else if (typeof data !== "string") return decodeCborWithin(data, FRAME_DEPTH);
  } catch (error) {
    if (TroupeError.is(error) && error.code === "malformed") {
      throw protocolErrors.malformedFrame(String(error.metadata?.reason), error);
    }
    throw error;
  }
  throw protocolErrors.malformedFrame(
    encoding === "json" ? "JSON in a binary message" : "CBOR in a text message",
  );
}

/** The `id` of a frame: a safe integer, not negative. */
export function readId(shape: Shape): number {
  const { id } = shape;
  if (typeof id !== "number" || !Number.isSafeInteger(id) || id < 0) {
    throw protocolErrors.malformedFrame("`id` isn't a safe integer of 0 or more");
  }
  return id;
}

/** A place among retained events: a safe integer, not negative. */
export function readSequence(shape: Shape, property: string): number {
  const value = shape[property];
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 0) {
    throw protocolErrors.malformedFrame(`\`${property}\` isn't a safe integer of 0 or more`);
  }
  return value;
}

/** A property that counts something: a safe integer of 1 or more. */
export function readCount(shape: Shape, property: string): number {
  const count = shape[property];
  if (typeof count === "number" && Number.isSafeInteger(count) && count > 0) return count;
  throw protocolErrors.malformedFrame(`\`${property}\` isn't a safe integer of 1 or more`);
}

/** The name of an action or an event. */
export function readMemberName(shape: Shape, property: string): string {
  const name = readString(shape, property);
  if (name === "" || name.length > limits.memberNameLength) {
    throw protocolErrors.malformedFrame(
      `\`${property}\` must have 1 to ${limits.memberNameLength} characters`,
    );
  }
  return name;
}

/** A property that must be a string. */
export function readString(shape: Shape, property: string): string {
  const value = shape[property];
  if (typeof value !== "string") throw protocolErrors.malformedFrame(`\`${property}\` isn't a string`);
  return value;
}

/** The arguments of a call or an event. */
export function readArgs(shape: Shape): readonly unknown[] {
  const { args } = shape;
  if (!Array.isArray(args)) throw protocolErrors.malformedFrame("`args` isn't an array");
  return args;
}

/** A message for a queue, and how it is sent. */
export function readSend(shape: Shape): SendOptions & { readonly body?: unknown } {
  const { body, wait, timeoutMs, ticket } = shape;
  if (wait !== undefined && typeof wait !== "boolean")
    throw protocolErrors.malformedFrame("`wait` isn't a boolean");
  if (timeoutMs !== undefined && !(typeof timeoutMs === "number" && timeoutMs >= 0))
    throw protocolErrors.malformedFrame("`timeoutMs` isn't a number of 0 or more");
  return compact({ body, wait, timeoutMs, ticket: ticketOf(ticket) }) as SendOptions & {
    readonly body?: unknown;
  };
}

/** A ticket, if there is one. */
export function ticketOf(ticket: unknown): string | undefined {
  if (ticket === undefined || (typeof ticket === "string" && TICKET.test(ticket))) return ticket;
  throw protocolErrors.malformedFrame("`ticket` isn't one");
}

const TICKET = /^[\w-]{1,64}$/;

/** What an action's frame says of its caller, if it says anything: absent parts are absent. */
export function readCallTerms(shape: Shape): CallTerms | undefined {
  const { timeoutMs, idempotencyKey } = shape;
  if (timeoutMs === undefined && idempotencyKey === undefined) return undefined;
  const ticket = ticketOf(shape.ticket);
  return {
    ...(timeoutMs === undefined ? {} : { timeoutMs: checkTimeout(timeoutMs) }),
    ...(idempotencyKey === undefined ? {} : { idempotencyKey: checkIdempotencyKey(idempotencyKey) }),
    ...(ticket === undefined ? {} : { ticket }),
  };
}

/** A list of protocol versions. */
export function readVersions(shape: Shape): readonly number[] {
  const { versions } = shape;
  if (!Array.isArray(versions) || versions.length > MOST_VERSIONS || !versions.every(isVersion)) {
    throw protocolErrors.malformedFrame("`versions` isn't a list of versions");
  }
  return versions;
}

const MOST_VERSIONS = 64;

function isVersion(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

/** The `error` of a frame or a body. */
export function readError(shape: Shape): WireError {
  const { error } = shape;
  if (!isRecord(error)) throw protocolErrors.malformedFrame("`error` isn't an object");
  const { metadata, retryable } = error;
  if (typeof retryable !== "boolean") throw protocolErrors.malformedFrame("`retryable` isn't a boolean");
  const wire = {
    group: readString(error, "group"),
    code: readString(error, "code"),
    message: readString(error, "message"),
    retryable,
  };
  return metadata === undefined ? wire : { ...wire, metadata };
}

/**
 * A message, whose properties have names of ours, without those that are undefined: its optional ones are absent, not
 * undefined.
 */
export function compact<T extends object>(message: T): T {
  const kept: Partial<T> = {};
  for (const name in message) if (message[name] !== undefined) kept[name] = message[name];
  return kept as T;
}
