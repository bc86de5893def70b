/** Rows in memory, read as a driver's rows are: for drivers that keep them in a Map. */
import type { Row, RowRange } from "../ports/storage.ts";
import { LAZY_END, LAZY_START } from "../ports/storage.ts";
import { ListSize } from "./list-size.ts";
import type { RowReader } from "./open-stores.ts";

/** An actor's rows by key. */
export type RowMap = ReadonlyMap<string, Uint8Array>;

/** Reads the rows that `rowsOf` finds; what is given away is copied. */
export function rowMapReader<Target>(rowsOf: (target: Target) => RowMap): RowReader<Target> {
  return {
    load: (target) => loadRows(rowsOf(target)),
    read: (target, keys) => keys.map((key) => rowsOf(target).get(key)?.slice()),
    list: (target, range) => listRows(rowsOf(target), range),
  };
}

function loadRows(rows: RowMap): Row[] {
  const loaded: Row[] = [];
  for (const [key, value] of rows) {
    if (key < LAZY_START || key >= LAZY_END) loaded.push({ key, value: value.slice() });
  }
  return loaded;
}

function listRows(rows: RowMap, range: RowRange): Row[] {
  const keys = [...rows.keys()].filter((key) => isInRange(key, range)).sort();
  if (range.reverse) keys.reverse();
  const size = new ListSize();
  const listed: Row[] = [];
  for (const key of keys.slice(0, range.limit)) {
    const value = rows.get(key);
    if (value === undefined) continue;
    size.add(value);
    listed.push({ key, value: value.slice() });
  }
  return listed;
}

/** True when a row with this key is in the range. */
export function isInRange(key: string, { start, end }: RowRange): boolean {
  return key >= start && key < end;
}
