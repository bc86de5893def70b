/**
 * Which call an oversized message makes. Nothing is decoded: a client of ours writes a frame's kind and id first, and they
 * are read from the message's head. Of a message that begins in any other way nothing is known.
 */
import { utf8Bytes } from "../../values/text.ts";
import type { Encoding } from "./frames.ts";
import type { Message } from "./shape.ts";

const JSON_HEAD = /^\{"kind":"(?:action|send)","id":(\d{1,16})[,}]/;
/** More than any head has. */
const HEAD_LENGTH = 64;
/** A map of fewer than 24 pairs, as CBOR begins it: the upper three bits. */
const SMALL_MAP = 0b101;
/** `kind`, its value and `id`, in CBOR: a short text is one byte, 0x60 and its length, which is the letter here, and the text. */
const CBOR_HEADS = ["dkind" + "faction" + "bid", "dkind" + "dsend" + "bid"].map((head) => utf8Bytes(head));

/** The id of the action or message that `data` asks for, if its head says so. */
export function callIdIn(data: Message, encoding: Encoding): number | undefined {
  if (encoding === "json") {
    const id = typeof data === "string" ? JSON_HEAD.exec(data.slice(0, HEAD_LENGTH))?.[1] : undefined;
    return id === undefined ? undefined : safe(Number(id));
  }
  if (typeof data === "string" || data[0] === undefined || data[0] >> 5 !== SMALL_MAP) return undefined;
  const rest = data.subarray(1, HEAD_LENGTH);
  const head = CBOR_HEADS.find((bytes) => bytes.every((byte, place) => rest[place] === byte));
  return head === undefined ? undefined : unsignedAt(rest.subarray(head.length));
}

/** An unsigned integer in CBOR, in its shortest form or not. */
function unsignedAt(bytes: Uint8Array): number | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const initial = bytes[0] ?? 0xff;
  if (initial < 24) return initial;
  if (initial > 27 || bytes.length < 1 + 2 ** (initial - 24)) return undefined;
  if (initial === 24) return view.getUint8(1);
  if (initial === 25) return view.getUint16(1);
  if (initial === 26) return view.getUint32(1);
  return safe(Number(view.getBigUint64(1)));
}

function safe(id: number): number | undefined {
  return Number.isSafeInteger(id) ? id : undefined;
}
