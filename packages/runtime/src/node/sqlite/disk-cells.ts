/** What a disk thread and its owner share. */
import type { KnownFile } from "./known-file.ts";

/** Which cell of the Int32Array means what. */
export const cells = {
  /** Goes up by one with each request (and wraps). The worker sleeps on it. */
  asked: 0,
  /** The `asked` that was served last. The owner sleeps on it. */
  answered: 1,
  /** The descriptor to sync, or `STOP`. */
  descriptor: 2,
  /** 0, a negative errno, or one of the codes below. */
  result: 3,
} as const;

/** How many cells there are. */
export const CELL_COUNT = 4;
/** Behind the cells: the least size that the synced file must have, a float64 (it may be larger than an int32). */
export const END_OFFSET = CELL_COUNT * Int32Array.BYTES_PER_ELEMENT;
/** Cells and size. */
export const MEMORY_BYTES = END_OFFSET + Float64Array.BYTES_PER_ELEMENT;
/** In place of a descriptor: the thread ends. */
export const STOP = -1;
/** The sync threw something that has no errno. */
export const UNKNOWN_ERROR = 1;
/** The log is shorter than what was written, or has a hole where it should begin. */
export const CUT = 2;
/** This plus a place in `files`: that file isn't where it was, and a sync means nothing. */
export const DISPLACED = 3;

/** What the thread is started with. */
export interface DiskWorkerData {
  readonly memory: SharedArrayBuffer;
  /** What must be where it was for a sync to mean something. */
  readonly files: readonly KnownFile[];
}
