/**
 * A result that is kept under an idempotency key, and its row.
 */
import { TroupeError } from "@troupe/base";
import { decodeCbor, encodeCbor, limits } from "@troupe/protocol";
import { CarriedErrorCodec, fromCarriedError, toCarriedError } from "@troupe/protocol/actor/v1";
import { idempotencyErrors } from "../errors.ts";

const NOTHING = new Uint8Array(0);

/** What a call came to: what it returned, or threw. */
export type CallResult =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly error: unknown };

/** A result as it is kept. */
export interface KeptResult {
  /** Wall clock, milliseconds. */
  readonly at: number;
  /** Its place among the kept ones of its actor. */
  readonly place: number;
  /** The digest of the arguments. */
  readonly args: Uint8Array;
  /** `begun`: the call has no result yet, and a batch was stored while it ran. */
  readonly kind: "begun" | "value" | "error" | "large";
  /** CBOR of a value, protobuf of an error, nothing of one that was too large; its size is `bytes` all the same. */
  readonly payload: Uint8Array;
  readonly bytes: number;
}

/** A result in the form in which it is kept. Never throws: what can't be stored couldn't be sent either. */
export function keepable(result: CallResult): Pick<KeptResult, "kind" | "payload" | "bytes"> {
  let kind: "value" | "error" = "value";
  let payload: Uint8Array;
  try {
    if (!result.ok) throw result.error;
    payload = encodeCbor(result.value, "output");
  } catch (cause) {
    kind = "error";
    payload = CarriedErrorCodec.encode(toCarriedError(cause, "cbor"));
  }
  const bytes = payload.byteLength;
  if (bytes <= limits.idempotencyResultBytes) return { kind, payload, bytes };
  return { kind: "large", payload: NOTHING, bytes };
}

/**
 * What an action has thrown, for its callers. An error that says that nobody knows what became of a call is another call's,
 * which the action made: who has its key would call again, and gets the same.
 */
export function asKept(cause: unknown): unknown {
  if (!TroupeError.is(cause) || cause.group === "user" || cause.metadata?.["applied"] !== "unknown")
    return cause;
  const { group, code, message, statusCode } = cause;
  const metadata = { ...cause.metadata, kept: true };
  return new TroupeError(group, code, message, { metadata, statusCode, public: cause.public, cause });
}

/** What the first caller was told, for another one of the same action. */
export function resultOf({ kind, payload, bytes }: KeptResult, action: string): CallResult {
  switch (kind) {
    case "begun":
      return { ok: false, error: idempotencyErrors.cutOff(action) };
    case "value":
      return { ok: true, value: decodeCbor(payload) };
    case "error":
      return { ok: false, error: fromCarriedError(CarriedErrorCodec.decode(payload), "cbor") };
    case "large":
      return { ok: false, error: idempotencyErrors.resultTooLarge(bytes, limits.idempotencyResultBytes) };
  }
}

/** The bytes of a row. */
export function encodeKept({ at, place, args, kind, payload, bytes }: KeptResult): Uint8Array {
  return encodeCbor([at, place, args, kind, payload, bytes]);
}

/** Reads a row. Throws `storage.corrupt`. */
export function decodeKept(row: Uint8Array): KeptResult {
  const value = decodeCbor(row);
  if (Array.isArray(value)) {
    const [at, place, args, kind, payload, bytes]: unknown[] = value;
    const numbers = typeof at === "number" && typeof place === "number" && typeof bytes === "number";
    const known = kind === "begun" || kind === "value" || kind === "error" || kind === "large";
    if (numbers && known && args instanceof Uint8Array && payload instanceof Uint8Array)
      return { at, place, args, kind, payload, bytes };
  }
  throw unreadable();
}

/** A row that isn't what was written. */
export function unreadable(): TroupeError {
  return new TroupeError("storage", "corrupt", "A row of an idempotency key can't be read", {
    statusCode: 500,
    public: false,
  });
}

/** A call that has begun, for its row. */
export const BEGUN: Pick<KeptResult, "kind" | "payload" | "bytes"> = {
  kind: "begun",
  payload: NOTHING,
  bytes: 0,
};
