/**
 * ActorStorage: what an actor has on disk, and the one way to change it.
 *
 * An actor's data is a set of rows, key to bytes. A writer doesn't push its changes: it says that it has some
 * (`commit(source)`), and the driver takes them when it is ready to write, so that all that an actor did meanwhile, and
 * what all other actors did, goes to disk in one transaction with one sync. `take` is called from a macrotask of the
 * runtime's own (`Env.afterTurn`), when no turn is half done. Every batch taken is settled, exactly once, in order.
 */
import type { TroupeError } from "@troupe/base";
import type { BindParams, ExecuteResult, SqlOutcome, SqlStatement } from "@troupe/protocol";
import type { ActorRecord, Generation } from "./directory.ts";

/** The port: actors' data on disk. */
export interface ActorStorage {
  /** Opens an actor's data for one activation. Fences every older generation off from now on. */
  open(actor: ActorRecord, generation: Generation, needs?: StoreNeeds): Promise<ActorStore>;
  /** The earliest alarm of all actors here that are not destroyed. May be too early, never too late. */
  nextAlarm(): Promise<Alarm | undefined>;
  /** Actors whose alarm is due, earliest first. */
  dueAlarms(until: number, limit: number): Promise<readonly Alarm[]>;
  /** How long its commits take; absent where nothing is on a disk. */
  readonly commits?: CommitTimes | undefined;
  /** Settles all that was taken, then gives every resource back. */
  close(): Promise<void>;
}

/** What many commits took, each of one or more batches; iterated: the rounds that took at most so many seconds. */
export interface CommitTimes extends Iterable<readonly [bound: number, count: number]> {
  /** Rounds. */
  readonly count: number;
  readonly batches: number;
  /** Seconds of all rounds. */
  readonly sum: number;
}

/** What an actor needs of its store. */
export interface StoreNeeds {
  /** It has SQL. Rejects with `sql.unavailable` where there is none. */
  readonly database?: boolean;
  /**
   * The actor's code isn't trusted: each text of SQL that it runs has so long, and none holds up the process. Absent: it is
   * trusted. The same at every opening of an actor.
   */
  readonly statementMs?: number | undefined;
}

/** When an actor wants to be woken. */
export interface Alarm {
  readonly actorId: string;
  /** Wall clock, milliseconds. */
  readonly at: number;
}

/** One activation's access to its actor's data. */
export interface ActorStore {
  /** All rows of the actor but those that are read one by one ({@link LAZY_START}). Once, before the first commit. */
  load(): Promise<readonly Row[]>;
  /**
   * Values of rows, in the order of `keys`. At once where the rows are at hand: no turn ends because of it. As `list`, it
   * sees every batch of this activation that was taken, durable or not, and is for after `load`.
   */
  read(keys: readonly string[]): MaybePromise<readonly (Uint8Array | undefined)[]>;
  /** Rows of a range. Throws `storage.list_too_large` past `limits.kvListBytes`. */
  list(range: RowRange): MaybePromise<readonly Row[]>;
  /** Says that `source` has a batch. Saying it again before the batch was taken does nothing. */
  commit(source: BatchSource): void;
  /**
   * The actor's database; absent in a store that was opened without one. What is written there goes with the next batch,
   * in one transaction with its rows. `wrote` is called before a statement that writes, and may throw to refuse it: it
   * asks for that batch.
   */
  readonly sql?: ((wrote: () => void) => ActorSql) | undefined;
  /**
   * Only of a store that settles a batch when it has handed it on, to somebody who holds back all that comes behind it:
   * settles when everything handed on is durable.
   */
  readonly durable?: (() => Promise<void>) | undefined;
  /**
   * Only of a store whose disk is elsewhere: settles when the other end is known to be there again, or is given up;
   * `undefined` while it is there. What an activation begins by itself waits for it: it may be over, and not know it.
   */
  readonly present?: (() => Promise<void> | undefined) | undefined;
  /** No batch is taken, but one that is refused, until what it returns is called. Only of a store with a database. */
  readonly hold?: (() => () => void) | undefined;
  /** Ends this activation's right to commit. What was taken before is still settled. */
  close(): Promise<void>;
}

/** An actor's database. Everything happens at once where the database is at hand. */
export interface ActorSql {
  /**
   * Runs SQL: one statement with parameters, or any number without, of which the last one's result is given. Throws
   * `sql.*`. A statement that failed has changed nothing.
   */
  execute(sql: string, params: BindParams): MaybePromise<ExecuteResult>;
  /** Runs statements in their order: all of them happen, or with the error of the first that fails none. Throws `sql.*`. */
  batch(statements: readonly SqlStatement[]): MaybePromise<readonly ExecuteResult[]>;
  /** Runs statements as `execute` does, one after the other, and says what each of them gave: nobody else is between. */
  series(statements: readonly SqlStatement[], gave: (outcome: SqlOutcome) => void): MaybePromise<void>;
  /**
   * What is written from now on can be undone by itself. While there is a savepoint no batch is taken, but one that is
   * refused. They end in the order opposite to that of their begin. `timeoutMs`: when whoever begins one will end it, for
   * a database that is elsewhere.
   */
  savepoint(timeoutMs: number): MaybePromise<Savepoint>;
}

/** A place to go back to. It ends once. */
export interface Savepoint {
  /** What was written stays. Throws `sql.transaction_ended` when it was undone with its batch. */
  release(): MaybePromise<void>;
  /** What was written since is undone; nothing to do when it was undone with its batch. */
  rollback(): MaybePromise<void>;
}

/**
 * The key of the row that ends a creation: whoever makes an actor puts it into the batch behind its start hooks. An
 * actor without it was being made when the process died.
 */
export const CREATED_ROW = "created";

/**
 * The key of the row that begins a destruction: it goes with the batch of whoever asked for it, so that nobody is told
 * before it is durable. An actor with it is gone; whoever finds it tells the directory so.
 */
export const DESTROYED_ROW = "destroyed";

/**
 * Rows from here to {@link LAZY_END} may be more than fit into memory, so a wake doesn't load them: whoever wants one
 * reads it. Each part of an actor that has such rows owns one prefix below.
 */
export const LAZY_START = "~";

/** Behind every row that a wake doesn't load. */
export const LAZY_END = "\x7f";

/**
 * The key-value store's. Each further character of such a key is one byte of the user's key, so that their order is that
 * of the bytes.
 */
export const KV_PREFIX = "~k:";

/** Behind every key that begins with {@link KV_PREFIX}. */
export const KV_END = "~k;";

/** The queues'. */
export const QUEUE_PREFIX = "~q:";
/** The workflows'. */
export const WORKFLOW_PREFIX = "~w:";
/** The kept results of calls with idempotency keys. */
export const IDEMPOTENCY_PREFIX = "~i:";

/** What is there at once where it can be. */
export type MaybePromise<Value> = Value | Promise<Value>;

/** Rows from `start` (with it) to `end` (without it), in the order of their keys' characters. */
export interface RowRange {
  readonly start: string;
  readonly end: string;
  /** 1 or more. */
  readonly limit: number;
  /** From the last one down. */
  readonly reverse: boolean;
}

/** A row as it is stored. */
export interface Row {
  readonly key: string;
  readonly value: Uint8Array;
}

/** A row to put, or with `null` to delete. */
export interface RowChange {
  readonly key: string;
  readonly value: Uint8Array | null;
}

/** What one actor's turns changed: stored together or not at all. */
export interface Batch {
  /** May be empty: such a batch is durable when all before it are. Each key at most once. */
  readonly rows: readonly RowChange[];
  /** The actor's next alarm (wall clock, ms), `null` for none any more; absent: as it was. */
  readonly alarm?: number | null;
}

/** Who has batches to commit: an activation. */
export interface BatchSource {
  /** Closes the open batch and gives it away. May throw: then this batch fails alone, and nothing of it is stored. */
  take(): Batch;
  /** The oldest unsettled batch that was taken is settled. */
  settled(outcome: CommitOutcome): void;
  /**
   * What it was asked meanwhile is answered in a moment, and the answer may be its next batch. Settles when that is there, or was too
   * long in coming; never rejects. Undefined, and without it: nothing is known to come.
   */
  soon?(): Promise<void> | undefined;
}

/** `applied: "unknown"` means that the bytes may survive a crash and may not: nobody may be told either. */
export type CommitOutcome =
  | { readonly durable: true }
  | { readonly durable: false; readonly applied: "no" | "unknown"; readonly error: TroupeError };
