/** A database whose statements take workers that the actors of one host share. */
import type { BindParams, ExecuteResult, SqlOutcome, SqlStatement } from "@troupe/protocol";
import type { SqlTurns } from "../../ports/carried.ts";
import type { ActorSql, MaybePromise, Savepoint } from "../../ports/storage.ts";

/** `ActorSql` in turns. The end of a transaction comes behind its statements that wait, and is never refused. */
export class SharedSql implements ActorSql {
  readonly #sql: ActorSql;
  readonly #turns: SqlTurns;

  constructor(sql: ActorSql, turns: SqlTurns) {
    this.#sql = sql;
    this.#turns = turns;
  }

  execute(sql: string, params: BindParams): MaybePromise<ExecuteResult> {
    return this.#turns.run(() => this.#sql.execute(sql, params));
  }

  batch(statements: readonly SqlStatement[]): MaybePromise<readonly ExecuteResult[]> {
    return this.#turns.run(() => this.#sql.batch(statements), statements.length);
  }

  series(statements: readonly SqlStatement[], gave: (outcome: SqlOutcome) => void): MaybePromise<void> {
    return this.#turns.run(() => this.#sql.series(statements, gave), statements.length);
  }

  async savepoint(timeoutMs: number): Promise<Savepoint> {
    const savepoint = await this.#turns.run(() => this.#sql.savepoint(timeoutMs));
    return {
      release: () => this.#turns.end(() => savepoint.release()),
      rollback: () => this.#turns.end(() => savepoint.rollback()),
    };
  }
}
