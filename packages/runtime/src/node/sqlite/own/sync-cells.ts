/**
 * What a sync thread and its owner share.
 *
 *   the request's cells │ count │ a descriptor, a kind and a result for each job │ the least size of each job's file (float64)
 */

import { REQUEST_CELL_COUNT } from "../request-cells.ts";

/** A descriptor to sync. `end`: the log is never shorter than this, bytes. */
export type SyncJob =
  | { readonly kind: "log"; readonly fd: number; readonly end: number }
  | { readonly kind: "file"; readonly fd: number }
  | { readonly kind: "directory"; readonly fd: number };

/** Jobs that one request may have. */
export const MOST_JOBS = 64;

/** Behind the request's cells: which one means what. */
export const syncCells = {
  /** How many jobs the request has. */
  count: REQUEST_CELL_COUNT,
  /** Here begin three for each job: descriptor, kind, result. */
  jobs: REQUEST_CELL_COUNT + 1,
} as const;

/** Cells of one job. */
export const jobCells = { descriptor: 0, kind: 1, result: 2, size: 3 } as const;

/** How a kind is written. */
export const kinds = { log: 0, file: 1, directory: 2 } as const;

const CELL_COUNT = syncCells.jobs + MOST_JOBS * jobCells.size;
/** Behind the cells, where a float64 may stand. */
export const ENDS_OFFSET = Math.ceil((CELL_COUNT * Int32Array.BYTES_PER_ELEMENT) / 8) * 8;
/** Cells and sizes. */
export const MEMORY_BYTES = ENDS_OFFSET + MOST_JOBS * Float64Array.BYTES_PER_ELEMENT;

/** What the thread is started with. */
export interface SyncWorkerData {
  readonly memory: SharedArrayBuffer;
}

/** The cells of a sync thread's memory. */
export function cellsOf(memory: SharedArrayBuffer): Int32Array {
  return new Int32Array(memory, 0, ENDS_OFFSET / Int32Array.BYTES_PER_ELEMENT);
}
