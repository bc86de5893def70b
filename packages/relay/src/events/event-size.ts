/**
 * What an event takes of memory, reckoned: enough to bound queues by it. Each character counts as two bytes, which is the
 * most that it takes; that texts may be shared with the program, or between events, counts for nothing.
 */
import type { Json, RelayEvent } from "./event.ts";

/** What an event takes without its payload: its own fields, ids and timestamp. */
const ENVELOPE = 512;
/** A number, or the place of anything else. */
const SLOT = 8;
const OBJECT = 32;

/** Bytes of an event while it waits. */
export function bytesOfEvent({ name, data, metadata, category_profile }: RelayEvent): number {
  return ENVELOPE + 2 * name.length + bytesOf(data) + bytesOf(metadata) + bytesOf(category_profile);
}

function bytesOf(value: Json): number {
  if (typeof value === "string") return SLOT + 2 * value.length;
  if (typeof value !== "object" || value === null) return SLOT;
  let bytes = OBJECT;
  if (isList(value)) for (const element of value) bytes += bytesOf(element);
  else for (const key in value) bytes += 2 * key.length + bytesOf(value[key] ?? null);
  return bytes;
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}
