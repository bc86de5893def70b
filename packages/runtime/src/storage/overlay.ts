/**
 * Rows as their writer sees them: what is stored, under what it wrote since its last batch was taken.
 *
 * What was taken is the store's to show. `open` is looked at when the question is asked, not when the answer comes, so
 * that an answer from afar shows one moment.
 */
import type { ActorStore, MaybePromise, Row, RowRange } from "../ports/storage.ts";
import { ListSize } from "./list-size.ts";
import { isInRange } from "./row-map.ts";

/** Rows that no batch has taken yet; `null` for one that goes. */
export type OpenRows = ReadonlyMap<string, Uint8Array | null>;

type Stored = Pick<ActorStore, "read" | "list">;

/** Values of rows, in the order of `keys`. */
export function readOver(
  open: OpenRows,
  stored: Stored,
  keys: readonly string[],
): MaybePromise<readonly (Uint8Array | undefined)[]> {
  const known = keys.map((key) => open.get(key));
  const missing = keys.filter((_key, index) => known[index] === undefined);
  if (missing.length === 0) return known.map((value) => value?.slice());
  return andThen(stored.read(missing), (found) => {
    let next = 0;
    return known.map((value) => {
      if (value !== undefined) return value?.slice();
      next += 1;
      return found[next - 1];
    });
  });
}

/** Rows of a range. Throws `storage.list_too_large`. */
export function listOver(open: OpenRows, stored: Stored, range: RowRange): MaybePromise<readonly Row[]> {
  const written = [...open].filter(([key]) => isInRange(key, range));
  if (written.length === 0) return stored.list(range);
  // Each written row may stand in the place of a stored one.
  const wider = { ...range, limit: range.limit + written.length };
  return andThen(stored.list(wider), (rows) => {
    const merged = new Map<string, Uint8Array | null>(rows.map(({ key, value }) => [key, value]));
    for (const [key, value] of written) merged.set(key, value === null ? null : value.slice());
    return firstOf(merged, range);
  });
}

function firstOf(merged: OpenRows, range: RowRange): Row[] {
  const keys = [...merged.keys()].sort();
  if (range.reverse) keys.reverse();
  const size = new ListSize();
  const rows: Row[] = [];
  for (const key of keys) {
    const value = merged.get(key);
    if (value === undefined || value === null) continue;
    if (rows.length === range.limit) break;
    size.add(value);
    rows.push({ key, value });
  }
  return rows;
}

/** Goes on with a value: at once when it is there. */
export function andThen<Value, Result>(
  value: MaybePromise<Value>,
  next: (value: Value) => MaybePromise<Result>,
): MaybePromise<Result> {
  return value instanceof Promise ? value.then(next) : next(value);
}
