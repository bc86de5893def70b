/** The memory that says which statement runs, shared with the thread that watches. */

/** Milliseconds since the epoch at the statement's begin; 0 while none runs. */
export const STARTED = 0;
/** What the watching thread last found there: a statement that it has seen. */
export const SEEN = 1;
/** Bytes: two floats, then the whole numbers, then the texts. */
export const NUMBERS_OFFSET = 16;
/** A whole number: 1 while the watching thread sleeps. */
export const PARKED = 0;
/** A whole number: bytes of the actor's id. */
export const ACTOR_LENGTH = 1;
/** A whole number: bytes of the statement's name. */
export const SQL_LENGTH = 2;
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
