/**
 * The database of one carried activation: the statements and transactions that its code asks for.
 *
 * The code keeps its statements in line by itself; here they are kept in line again, for nobody has to believe it. A
 * transaction has its time here as well, and ends with the carrier.
 */
import { type Env, TroupeError } from "@troupe/base";
import { limits, type SqlOutcome, type SqlStatement } from "@troupe/protocol";
import {
  decodeBindParams,
  encodeExecuteResult,
  encodeSqlOutcomes,
  type SqlBatch,
  type SqlBegin,
  type SqlEnd,
  type SqlExecute,
} from "@troupe/protocol/actor/v1";
import type { ActorCarrier, SqlTurns } from "../../ports/carried.ts";
import type { ActorSql } from "../../ports/storage.ts";
import { checkBatch, resultBytes } from "../../sql/batch.ts";
import { sqlErrors } from "../../sql/errors.ts";
import { remoteSqlErrors } from "../../sql/remote-errors.ts";
import { type Transaction, WriteSlot } from "../../sql/write-slot.ts";
import { HeldTurns, type HeldTurnsOwner } from "./held-turns.ts";
import { SharedSql } from "./shared-sql.ts";

/** What it needs of its activation. */
export interface CarriedSqlOwner extends HeldTurnsOwner {
  readonly env: Pick<Env, "afterTurn" | "clock" | "timers">;
  /** The database; undefined when the actor has none here. */
  openSql(): ActorSql | undefined;
  /** Throws when the activation has ended. */
  checkLive(): void;
}

/** A transaction that the code has asked for. */
interface Begun {
  readonly beginning: Promise<Transaction>;
  /** Once it has begun. */
  transaction: Transaction | undefined;
}

/** Answers questions about SQL. Throws `sql.unavailable` when the actor's definition here has no database. */
export class CarriedSql {
  /** Turns that go on with what was asked here. */
  readonly turns: HeldTurns;
  readonly #owner: CarriedSqlOwner;
  readonly #carrier: Pick<ActorCarrier, "sqlTurns">;
  /** Transactions that the code hasn't ended, by its numbers. Those that were undone here are told so when it does. */
  readonly #begun = new Map<number, Begun>();
  #made: WriteSlot | undefined;
  #workers: SqlTurns | undefined;

  /** `carrier` has turns for its statements, where it shares the way to its database. */
  constructor(owner: CarriedSqlOwner, carrier: Pick<ActorCarrier, "sqlTurns">) {
    this.turns = new HeldTurns(owner);
    this.#owner = owner;
    this.#carrier = carrier;
  }

  async execute({ sql, params, transaction }: SqlExecute): Promise<Uint8Array> {
    const bound = decodeBindParams(params);
    const within = transaction === 0 ? undefined : await this.#of(transaction);
    try {
      return encodeExecuteResult(await this.#slot.execute(within, sql, bound));
    } catch (cause) {
      throw asTyped(cause);
    }
  }

  /** What statements gave that came together: the last of it, what was before is told when it is much. */
  async batch(batch: SqlBatch, tell: (sql: Uint8Array) => void): Promise<Uint8Array> {
    const statements = statementsOf(batch);
    checkBatch(statements);
    const { transaction, whole } = batch;
    const within = transaction === 0 ? undefined : await this.#of(transaction);
    if (!whole) return await this.#series(within, statements, tell);
    try {
      const results = await this.#slot.use(within, (sql) => sql.batch(statements));
      return encodeSqlOutcomes(results.map((result) => ({ result })));
    } catch (cause) {
      throw asTyped(cause);
    }
  }

  async begin({ transaction, outer, timeoutMs, turn }: SqlBegin): Promise<void> {
    const admitted = turn && this.turns.admit(turn);
    if (admitted) await admitted;
    if (this.#begun.size >= limits.sqlTransactionDepth)
      throw sqlErrors.tooManyTransactions(limits.sqlTransactionDepth);
    if (transaction === 0 || this.#begun.has(transaction)) throw sqlErrors.transactionEnded();
    const limit = timeoutMs === 0 ? limits.sqlTransactionMs : timeoutMs;
    const beginning = this.#begin(outer, Math.min(limit, limits.sqlTransactionLongestMs));
    const begun: Begun = { beginning, transaction: undefined };
    this.#begun.set(transaction, begun);
    try {
      begun.transaction = await beginning;
    } catch (cause) {
      this.#begun.delete(transaction);
      throw cause;
    }
  }

  async end({ transaction, undo }: SqlEnd): Promise<void> {
    const ended = await this.#of(transaction);
    // Those inside of it end with it: the code may never say so.
    for (const [number, begun] of this.#begun)
      if (begun.transaction?.isWithin(ended) === true) this.#begun.delete(number);
    if (undo) await this.#slot.undo(ended);
    else await this.#slot.release(ended);
  }

  /** The code is gone, in the middle of a transaction perhaps: then of all that would be stored with it nothing is, as of half a turn. */
  lost(error: TroupeError): void {
    if (this.#made?.inner !== undefined) this.#owner.gate.break(error);
    void this.abandon(error);
  }

  /**
   * What is open is undone, a turn with `error`, and what waits is refused. Settles when what runs has ended, or takes too
   * long.
   */
  abandon(error: TroupeError): Promise<void> | undefined {
    this.turns.cutOff(error);
    this.#made?.abandon(sqlErrors.transactionEnded());
    return this.#workers?.stop();
  }

  async #series(
    within: Transaction | undefined,
    statements: readonly SqlStatement[],
    tell: (sql: Uint8Array) => void,
  ): Promise<Uint8Array> {
    let outcomes: SqlOutcome[] = [];
    let bytes = 0;
    await this.#slot.use(within, (sql) =>
      sql.series(statements, (outcome) => {
        if ("result" in outcome) bytes += resultBytes(outcome.result);
        outcomes.push("result" in outcome ? outcome : { error: asTyped(outcome.error) });
        if (bytes < limits.sqlAnswerBytes) return;
        tell(encodeSqlOutcomes(outcomes));
        outcomes = [];
        bytes = 0;
      }),
    );
    return encodeSqlOutcomes(outcomes);
  }

  async #begin(outer: number, timeoutMs: number): Promise<Transaction> {
    const within = outer === 0 ? undefined : await this.#of(outer);
    return await this.#slot.begin(within, timeoutMs);
  }

  async #of(transaction: number): Promise<Transaction> {
    const begun = this.#begun.get(transaction);
    if (begun === undefined) throw sqlErrors.transactionEnded();
    return await begun.beginning;
  }

  get #slot(): WriteSlot {
    if (this.#made === undefined) {
      const { env } = this.#owner;
      const sql = this.#owner.openSql();
      if (sql === undefined) throw sqlErrors.unavailable();
      this.#workers = this.#carrier.sqlTurns?.();
      const shared = this.#workers === undefined ? sql : new SharedSql(sql, this.#workers);
      this.#made = new WriteSlot({ env, sql: shared, checkLive: () => this.#owner.checkLive() });
    }
    return this.#made;
  }
}

function asTyped(cause: unknown): TroupeError {
  return TroupeError.is(cause) ? cause : remoteSqlErrors.executionFailed(cause);
}

/** Throws `value.*`, `sql.malformed`. */
function statementsOf({ texts, statements }: SqlBatch): SqlStatement[] {
  return statements.map(({ text, params }) => ({ sql: texts[text] ?? "", params: decodeBindParams(params) }));
}
