/**
 * Rows between storage and carried code. State is stored in CBOR whatever the code speaks, so that one program's data can
 * be read by the next one, in another language.
 */
import { decodeCbor, encodeCbor, limits } from "@troupe/protocol";
import {
  type CarriedRow,
  decodePayload,
  encodePayload,
  NO_PAYLOAD,
  type PayloadEncoding,
  Space,
} from "@troupe/protocol/actor/v1";
import { actorErrors, storageErrors } from "../../errors.ts";
import { kvErrors } from "../../kv/errors.ts";
import { keyBytesOf, rowKeyOf } from "../../kv/kv-key.ts";
import { KV_PREFIX, LAZY_END, LAZY_START, type Row, type RowChange } from "../../ports/storage.ts";
import { STATE_PREFIX } from "../local/state-tree.ts";

/** True for a row that code may know whose queues and schedules are kept for it: its state, and nothing else. */
export function isCodes({ key }: Row): boolean {
  return key.startsWith(STATE_PREFIX);
}

/** Rows as the code gets them when it starts. */
export function toCarriedRows(rows: readonly Row[], encoding: PayloadEncoding): CarriedRow[] {
  return rows.map((row) => toCarriedRow(row, encoding));
}

/** A row, or its end, as it travels. */
export function toCarriedRow(row: RowChange, encoding: PayloadEncoding): CarriedRow {
  if (row.key.startsWith(KV_PREFIX)) return toCarriedEntry(row);
  const state = row.key.startsWith(STATE_PREFIX);
  const value = row.value ?? NO_PAYLOAD;
  return {
    space: state ? Space.STATE : Space.OWN,
    key: state ? row.key.slice(STATE_PREFIX.length) : row.key,
    blobKey: NO_PAYLOAD,
    value: state && encoding !== "cbor" && row.value !== null ? fromStored(value, encoding) : value,
    deleted: row.value === null,
  };
}

/** A row that arrived, as storage has it. Throws `actor.bad_row`, `value.*`. */
export function changeOfCarriedRow(row: CarriedRow, encoding: PayloadEncoding): RowChange {
  switch (row.space) {
    case Space.STATE:
      return {
        key: STATE_PREFIX + row.key,
        value: row.deleted ? null : toStored(row.key, row.value, encoding),
      };
    case Space.KV:
      if (row.value.byteLength > limits.kvValueBytes) {
        throw kvErrors.valueTooLarge(row.value.byteLength, limits.kvValueBytes);
      }
      return { key: rowKeyOf(row.blobKey), value: row.deleted ? null : row.value.slice() };
    case Space.OWN:
      // Its keys stay clear of everybody else's.
      if (row.key.startsWith(STATE_PREFIX) || row.key.startsWith(KV_PREFIX)) {
        throw actorErrors.badRow(row.key);
      }
      return { key: row.key, value: row.deleted ? null : row.value.slice() };
    default:
      throw actorErrors.badRow(row.key);
  }
}

/** The key of a row that Start left out, and that isn't anybody else's. Throws `actor.bad_row`. */
export function checkOwnLazyKey(key: string): void {
  if (key < LAZY_START || key > LAZY_END || key.startsWith(KV_PREFIX)) throw actorErrors.badRow(key);
}

function toCarriedEntry({ key, value }: RowChange): CarriedRow {
  return {
    space: Space.KV,
    key: "",
    blobKey: keyBytesOf(key),
    value: value ?? NO_PAYLOAD,
    deleted: value === null,
  };
}

function fromStored(value: Uint8Array, encoding: PayloadEncoding): Uint8Array {
  return encodePayload(decodeCbor(value), encoding);
}

/** Never the carrier's own buffer: that is used again. Throws `storage.property_too_large`. */
function toStored(property: string, value: Uint8Array, encoding: PayloadEncoding): Uint8Array {
  const stored = encoding === "cbor" ? value.slice() : encodeCbor(decodePayload(value, encoding));
  const limit = limits.statePropertyBytes;
  if (stored.byteLength > limit) throw storageErrors.propertyTooLarge(property, stored.byteLength, limit);
  return stored;
}
