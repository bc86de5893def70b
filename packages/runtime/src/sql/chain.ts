/**
 * SqlChain: one chain of calls, and the transactions that it has begun by statements of its own.
 *
 * `BEGIN` takes the write slot, as `transaction(callback)` does, and with it come the same rules: who else uses the database
 * waits, no batch is taken, its time ends it. A `SAVEPOINT` is a transaction inside; outside of all it begins one. What a
 * chain has open when it ends is undone: nobody could end it any more.
 *
 *   none ──BEGIN, SAVEPOINT──▶ open ──COMMIT, RELEASE of the outermost──▶ none      what it wrote stays
 *                                └── ROLLBACK, end of the chain ──▶ none            what it wrote is undone
 *                                └── its time is over ──▶ over ── COMMIT (fails), ROLLBACK, BEGIN ──▶
 */
import { limits } from "@troupe/protocol";
import { sqlErrors } from "./errors.ts";
import type { TransactionControl } from "./transaction-control.ts";
import type { Transaction, WriteSlot } from "./write-slot.ts";

/** One that was begun by a statement. */
interface Manual {
  /** A savepoint's; undefined for `BEGIN`. */
  readonly name: string | undefined;
  readonly transaction: Transaction;
}

/** What a chain of calls has open in its actor's database. */
export class SqlChain {
  /** Whose calls these are: an activation. */
  readonly owner: object;
  /** The transaction whose callback this chain runs in. */
  readonly transaction: Transaction | undefined;
  readonly #manual: Manual[] = [];
  #busy: Promise<void> | undefined;

  constructor(owner: object, transaction?: Transaction) {
    this.owner = owner;
    this.transaction = transaction;
  }

  /** What its statements are in. One whose time is over is given as well: it takes none. */
  get innermost(): Transaction | undefined {
    return this.#manual.at(-1)?.transaction ?? this.transaction;
  }

  /** Settles when no transaction is just being begun or ended; undefined when none is. */
  get settled(): Promise<void> | undefined {
    return this.#busy;
  }

  /** Begins or ends a transaction. Throws `sql.*`. */
  async control(slot: WriteSlot, control: TransactionControl): Promise<void> {
    while (this.#busy !== undefined) await this.#busy;
    const done = Promise.withResolvers<void>();
    this.#busy = done.promise;
    try {
      await this.#control(slot, control);
    } finally {
      this.#busy = undefined;
      done.resolve();
    }
  }

  /** The chain has ended: undoes what it left open. True when there was something. */
  async end(): Promise<boolean> {
    const [outermost] = this.#manual;
    if (outermost === undefined) return false;
    this.#manual.length = 0;
    const { transaction } = outermost;
    if (transaction.over !== undefined) return false;
    await transaction.slot.undo(transaction, sqlErrors.transactionUnfinished());
    return true;
  }

  async #control(slot: WriteSlot, control: TransactionControl): Promise<void> {
    switch (control.kind) {
      case "begin":
        // As when SQLite has undone a transaction by itself: it is no longer there.
        if (this.#manual[0]?.transaction.over !== undefined) this.#manual.length = 0;
        if (this.innermost !== undefined) throw sqlErrors.transactionOpen();
        return await this.#begin(slot, undefined);
      case "savepoint":
        return await this.#begin(slot, control.name);
      case "commit":
        return await this.#release(slot, 0);
      case "release":
        return await this.#release(slot, this.#indexOf(control.name));
      case "rollback":
        return await this.#undo(slot, 0);
      case "rollbackTo":
        return await this.#restart(slot, this.#indexOf(control.name));
    }
  }

  async #begin(slot: WriteSlot, name: string | undefined): Promise<void> {
    const transaction = await slot.begin(this.innermost, limits.sqlTransactionMs);
    this.#manual.push({ name, transaction });
  }

  /** Releases all from `index` on, the innermost first. */
  async #release(slot: WriteSlot, index: number): Promise<void> {
    const ending = this.#take(index);
    for (const { transaction } of ending.toReversed()) await slot.release(transaction);
  }

  async #undo(slot: WriteSlot, index: number): Promise<void> {
    const [outermost] = this.#take(index);
    // Those inside of it are undone with it.
    if (outermost !== undefined) await slot.undo(outermost.transaction);
  }

  /** Those inside of it are gone with what it wrote; it is still there. */
  async #restart(slot: WriteSlot, index: number): Promise<void> {
    const manual = this.#manual[index];
    if (manual === undefined) throw sqlErrors.noTransaction();
    this.#manual.length = index + 1;
    await slot.restart(manual.transaction, limits.sqlTransactionMs);
  }

  #take(index: number): Manual[] {
    if (this.#manual[index] === undefined) throw sqlErrors.noTransaction();
    return this.#manual.splice(index);
  }

  #indexOf(name: string): number {
    return this.#manual.findLastIndex((manual) => manual.name === name);
  }
}
