/** What a disk thread and its owner share. */
import type { KnownFile } from "./known-file.ts";
import { REQUEST_CELL_COUNT, syncResults } from "./request-cells.ts";

/** Behind the request's cells: which one means what. */
export const diskCells = {
  /** The descriptor to sync. */
  descriptor: REQUEST_CELL_COUNT,
  /** How it went: as of any sync, or from `DISPLACED` on. */
  result: REQUEST_CELL_COUNT + 1,
} as const;

/** Even: a float64 stands behind them. */
const CELL_COUNT = REQUEST_CELL_COUNT + 2;
/** Behind the cells: the least size that the synced file must have, a float64 (it may be larger than an int32). */
export const END_OFFSET = CELL_COUNT * Int32Array.BYTES_PER_ELEMENT;
/** Cells and size. */
export const MEMORY_BYTES = END_OFFSET + Float64Array.BYTES_PER_ELEMENT;
/** This plus a place in `files`: that file isn't where it was, and a sync means nothing. */
export const DISPLACED = syncResults.cut + 1;

/** What the thread is started with. */
export interface DiskWorkerData {
  readonly memory: SharedArrayBuffer;
  /** What must be where it was for a sync to mean something. */
  readonly files: readonly KnownFile[];
}

/** The cells of a disk thread's memory. */
export function cellsOf(memory: SharedArrayBuffer): Int32Array {
  return new Int32Array(memory, 0, CELL_COUNT);
}
