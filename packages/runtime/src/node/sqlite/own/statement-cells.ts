/** The memory that says which statement runs, shared with the thread that watches. */

/** A float: when the watching thread saw the statement first, milliseconds since the epoch. */
export const SINCE = 0;
/** Bytes: one float, then the whole numbers, then the texts. */
export const NUMBERS_OFFSET = 8;
/** How many whole numbers there are. */
export const NUMBERS = 5;
/** A whole number: 1 while the watching thread sleeps. */
export const PARKED = 0;
/** A whole number: bytes of the actor's id. */
export const ACTOR_LENGTH = 1;
/** A whole number: bytes of the statement's name. */
export const SQL_LENGTH = 2;
/** A whole number: which statement runs; 0 while none does. */
export const RUNNING = 3;
/** A whole number: the statement that the watching thread saw last. */
export const SEEN = 4;
/** Where the actor's id begins. */
export const ACTOR_OFFSET = 32;
/** The most that is shown of an actor's id. */
export const ACTOR_BYTES = 64;
/** Where the statement's name begins. */
export const SQL_OFFSET = ACTOR_OFFSET + ACTOR_BYTES;
/** As much of a statement as names it. */
export const SQL_BYTES = 256;
/** All of it. */
export const MEMORY_BYTES = SQL_OFFSET + SQL_BYTES;

/** What the watching thread is started with. */
export interface StatementWorkerData {
  readonly memory: SharedArrayBuffer;
  readonly slowMs: number;
  /** Where its lines go. */
  readonly fd: number;
}
