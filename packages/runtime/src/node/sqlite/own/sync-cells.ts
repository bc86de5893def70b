/**
 * What a sync thread and its owner share.
 *
 *   asked, answered, count │ a descriptor, a kind and a result for each job │ the least size of each job's file (float64)
 */

/** A descriptor to sync. `end`: the log is never shorter than this, bytes. */
export type SyncJob =
  | { readonly kind: "log"; readonly fd: number; readonly end: number }
  | { readonly kind: "file"; readonly fd: number }
  | { readonly kind: "directory"; readonly fd: number };

/** Jobs that one request may have. */
export const MOST_JOBS = 64;

/** Which cell of the Int32Array means what. */
export const cells = {
  /** Goes up by one with each request (and wraps). The thread sleeps on it. */
  asked: 0,
  /** The `asked` that was served last. The owner sleeps on it. */
  answered: 1,
  /** How many jobs the request has. */
  count: 2,
  /** Here begin three for each job: descriptor, kind, result. */
  jobs: 4,
} as const;

/** Cells of one job. */
export const jobCells = { descriptor: 0, kind: 1, result: 2, size: 3 } as const;

/** How a kind is written. */
export const kinds = { log: 0, file: 1, directory: 2 } as const;

/** Results: 0, a negative errno, or one of these. */
export const UNKNOWN_ERROR = 1;
/** The log is shorter than what was written, or deleted. */
export const CUT = 2;

const CELL_COUNT = cells.jobs + MOST_JOBS * jobCells.size;
/** Behind the cells, where a float64 may stand. */
export const ENDS_OFFSET = Math.ceil((CELL_COUNT * Int32Array.BYTES_PER_ELEMENT) / 8) * 8;
/** Cells and sizes. */
export const MEMORY_BYTES = ENDS_OFFSET + MOST_JOBS * Float64Array.BYTES_PER_ELEMENT;

/** What the thread is started with. */
export interface SyncWorkerData {
  readonly memory: SharedArrayBuffer;
}
