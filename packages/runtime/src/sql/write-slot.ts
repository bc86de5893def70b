/**
 * WriteSlot: who may use an actor's database now.
 *
 * Statements run one after the other, on one connection. A transaction takes the slot: until it ends, or its time is
 * over, statements of everybody else wait, so that nothing of theirs is undone with it, and none of them sees what may
 * yet be undone. It may last many turns. One inside another takes the outer one's slot in the same way. Who waits gets the
 * slot in the order in which it asked (`turnstile.ts`), one at a time: each may take it again from those behind.
 *
 *   free ──begin──▶ taken ──release──▶ free          what it wrote stays, and is stored with the batch
 *                     └── undo, or its time is over ──▶ free    what it wrote is undone; who waited goes on
 *
 * While the slot is taken no batch is taken (see `ActorSql`): rows written meanwhile, by whomever, are stored with the
 * transaction, and whatever is said meanwhile waits for it. So whoever waits, inside of a transaction, for something to be
 * durable waits for itself: where the async context is known that is refused at once (`sql.output_in_transaction`),
 * elsewhere the transaction's time ends it.
 *
 * A crash, or the end of the activation, undoes what is open: nothing of it was ever stored, and nobody was told.
 */
import { assert, type Env, type TimerHandle, type TroupeError } from "@troupe/base";
import { type BindParams, type ExecuteResult, limits } from "@troupe/protocol";
import type { ActorSql, MaybePromise, Savepoint } from "../ports/storage.ts";
import { sqlErrors } from "./errors.ts";
import { Turnstile } from "./turnstile.ts";

/** What a slot is made of. */
export interface WriteSlotParts {
  readonly env: Pick<Env, "afterTurn" | "timers">;
  readonly sql: ActorSql;
  /** Throws when the activation has ended. */
  readonly checkLive: () => void;
}

/** A transaction, or one inside another. */
export class Transaction {
  readonly slot: WriteSlot;
  readonly outer: Transaction | undefined;
  /** 1 for the outermost. */
  readonly depth: number;
  /** Rejects when it was undone by somebody else: its time is over, or the activation. */
  readonly failed: Promise<never>;
  /** The one inside of it that is open. */
  inner: Transaction | undefined;
  /** Statements and transactions inside of it that wait for that one. */
  readonly turnstile = new Turnstile();
  /** Why it takes no more statements. */
  over: TroupeError | undefined;
  /** Why nothing of it stays. */
  undone: TroupeError | undefined;
  savepoint: Savepoint | undefined;
  timer: TimerHandle | undefined;
  readonly #fail: (error: TroupeError) => void;

  constructor(slot: WriteSlot, outer: Transaction | undefined) {
    this.slot = slot;
    this.outer = outer;
    this.depth = (outer?.depth ?? 0) + 1;
    const failed = Promise.withResolvers<never>();
    failed.promise.catch(() => {});
    this.failed = failed.promise;
    this.#fail = failed.reject;
  }

  /** True for one inside `other`, and for `other` itself. */
  isWithin(other: Transaction): boolean {
    return this === other || this.outer?.isWithin(other) === true;
  }

  /** No more statements, in it or inside of it. */
  close(why: TroupeError): void {
    this.over ??= why;
    this.inner?.close(why);
  }

  /** Whoever runs it is told. */
  fail(error: TroupeError): void {
    this.inner?.fail(error);
    this.#fail(error);
  }

  /** It is over: who waits inside of it goes on, and learns that. */
  leave(): void {
    this.inner?.leave();
    this.turnstile.letAllThrough();
  }
}

/** The slot of one activation's database. */
export class WriteSlot {
  /** The outermost transaction that is open. */
  inner: Transaction | undefined;
  readonly turnstile = new Turnstile();
  readonly #parts: WriteSlotParts;

  constructor(parts: WriteSlotParts) {
    this.#parts = parts;
  }

  /** Runs SQL in a transaction, or outside of all. At once, when nobody else has the slot. Throws `sql.*`. */
  execute(within: Transaction | undefined, sql: string, params: BindParams): MaybePromise<ExecuteResult> {
    if (isTaken(this.#levelOf(within))) return this.#useLater(within, (at) => at.execute(sql, params));
    this.#check(within);
    return unlessUndone(within, this.#parts.sql.execute(sql, params));
  }

  /** Uses the database, in a transaction or outside of all: as one statement would. Throws `sql.*`. */
  use<T>(within: Transaction | undefined, use: (sql: ActorSql) => MaybePromise<T>): MaybePromise<T> {
    if (isTaken(this.#levelOf(within))) return this.#useLater(within, use);
    this.#check(within);
    return unlessUndone(within, use(this.#parts.sql));
  }

  /** Begins a transaction when the slot is free. It has `timeoutMs` from the end of the turn on. */
  async begin(within: Transaction | undefined, timeoutMs: number): Promise<Transaction> {
    const level = this.#levelOf(within);
    if (isTaken(level)) await level.turnstile.turn();
    const transaction = this.#take(level, within);
    try {
      transaction.savepoint = await this.#parts.sql.savepoint(timeoutMs);
    } catch (cause) {
      transaction.close(sqlErrors.transactionEnded());
      this.#leave(transaction);
      throw cause;
    }
    if (transaction.over !== undefined) {
      await transaction.savepoint.rollback();
      throw transaction.over;
    }
    if (within === undefined) this.#watch(transaction, timeoutMs);
    return transaction;
  }

  /** What it wrote stays. Throws what ended it before. */
  async release(transaction: Transaction): Promise<void> {
    if (transaction.over !== undefined) throw transaction.over;
    const { savepoint } = transaction;
    assert(savepoint !== undefined, "a transaction is given away when it has begun");
    transaction.close(sqlErrors.transactionEnded());
    try {
      await savepoint.release();
    } finally {
      this.#leave(transaction);
    }
  }

  /** What it wrote is undone, with all that is inside of it, and it goes on: nobody else has the slot between. */
  async restart(transaction: Transaction, timeoutMs: number): Promise<void> {
    if (transaction.over !== undefined) throw transaction.over;
    const { inner, turnstile } = transaction;
    inner?.close(sqlErrors.transactionEnded());
    // Until the new savepoint is there nothing of its own runs: nobody would undo it.
    turnstile.close();
    try {
      const undoing = undone(transaction);
      transaction.inner = undefined;
      transaction.savepoint = undefined;
      await Promise.all(undoing);
      transaction.savepoint = await this.#parts.sql.savepoint(timeoutMs);
    } catch (cause) {
      transaction.close(sqlErrors.transactionEnded());
      this.#leave(transaction);
      throw cause;
    } finally {
      inner?.leave();
      turnstile.next();
    }
    if (transaction.over === undefined) return;
    await transaction.savepoint.rollback();
    throw transaction.over;
  }

  /** What it wrote is undone. Does nothing for one that has ended. */
  async undo(transaction: Transaction, why: TroupeError = sqlErrors.transactionEnded()): Promise<void> {
    if (transaction.over !== undefined) return;
    transaction.close(why);
    transaction.undone = why;
    try {
      await Promise.all(undone(transaction));
    } finally {
      this.#leave(transaction);
    }
  }

  /** Undoes what is open, and tells whoever runs it. Where the database is at hand it is done when this returns. */
  abandon(why: TroupeError): void {
    const open = this.inner;
    if (open === undefined) return;
    open.fail(why);
    // The batch is lost, and says so itself, or the activation has ended.
    this.undo(open, why).catch(() => {});
  }

  async #useLater<T>(within: Transaction | undefined, use: (sql: ActorSql) => MaybePromise<T>): Promise<T> {
    const { turnstile } = this.#levelOf(within);
    await turnstile.turn();
    let result: MaybePromise<T>;
    try {
      this.#check(within);
      result = use(this.#parts.sql);
    } finally {
      // Those behind it run behind it: the connection keeps the order.
      turnstile.next();
    }
    return await unlessUndone(within, result);
  }

  /** The slot is free, and is taken before anybody else has looked. */
  #take(level: Level, within: Transaction | undefined): Transaction {
    try {
      this.#check(within);
      if ((within?.depth ?? 0) >= limits.sqlTransactionDepth)
        throw sqlErrors.tooManyTransactions(limits.sqlTransactionDepth);
      level.inner = new Transaction(this, within);
      return level.inner;
    } catch (cause) {
      level.turnstile.next();
      throw cause;
    }
  }

  #levelOf(within: Transaction | undefined): Level {
    return within ?? this;
  }

  #check(within: Transaction | undefined): void {
    this.#parts.checkLive();
    if (within?.over !== undefined) throw within.over;
  }

  #leave(transaction: Transaction): void {
    const level = this.#levelOf(transaction.outer);
    if (transaction.timer !== undefined) this.#parts.env.timers.clear(transaction.timer);
    transaction.leave();
    if (level.inner !== transaction) return;
    level.inner = undefined;
    level.turnstile.next();
  }

  /** One that ends in its turn, as most do, costs no timer. */
  #watch(transaction: Transaction, timeoutMs: number): void {
    const { afterTurn, timers } = this.#parts.env;
    afterTurn(() => {
      if (transaction.over !== undefined) return;
      const tooLate = (): void => this.abandon(sqlErrors.transactionTimedOut(timeoutMs));
      transaction.timer = timers.set(tooLate, timeoutMs, { background: true });
    });
  }
}

/**
 * What a statement gave, where statements take a while: one whose transaction was undone meanwhile didn't succeed, and what
 * goes on with it must not believe so.
 */
function unlessUndone<T>(within: Transaction | undefined, result: MaybePromise<T>): MaybePromise<T> {
  if (within === undefined || !(result instanceof Promise)) return result;
  return result.then((value) => {
    for (let at: Transaction | undefined = within; at !== undefined; at = at.outer)
      if (at.undone !== undefined) throw at.undone;
    return value;
  });
}

/** Undoes what it wrote, and what those inside of it did, the innermost first: each of them holds the batch. */
function undone(transaction: Transaction): MaybePromise<void>[] {
  const { inner, savepoint } = transaction;
  const inside = inner === undefined ? [] : undone(inner);
  return savepoint === undefined ? inside : [...inside, savepoint.rollback()];
}

/** What has a transaction inside, or hasn't: another one, or the slot. */
interface Level {
  inner: Transaction | undefined;
  readonly turnstile: Turnstile;
}

function isTaken({ inner, turnstile }: Level): boolean {
  return inner !== undefined || turnstile.isBusy;
}
