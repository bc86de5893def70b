/** The shared memory between a disk thread and its owner: which cell of the Int32Array means what. */
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
/** In place of a descriptor: the thread ends. */
export const STOP = -1;
/** The descriptor's file was deleted: a sync of it means nothing. */
export const DELETED = 1;
/** The sync threw something that has no errno. */
export const UNKNOWN_ERROR = 2;
