/**
 * GuestSql: the database of an actor whose disk is at the other end of a line.
 *
 * Each statement is a question, and is run by the time of its answer; what it wrote goes with the host's next batch. It
 * ends the turn, as anything does that waits for somebody else.
 */
import type { BindParams, ExecuteResult } from "@troupe/protocol";
import {
  type CarriedAnswer,
  type CarriedAsk,
  decodeExecuteResult,
  encodeBindParams,
} from "@troupe/protocol/actor/v1";
import type { ActorSql, Savepoint } from "../ports/storage.ts";
import { sqlErrors } from "../sql/errors.ts";

/** Asks the host. */
export type AskHost = (about: NonNullable<CarriedAsk["about"]>) => Promise<CarriedAnswer>;

/** `ActorSql` over a line. */
export class GuestSql implements ActorSql {
  readonly #ask: AskHost;

  constructor(ask: AskHost) {
    this.#ask = ask;
  }

  async execute(sql: string, params: BindParams): Promise<ExecuteResult> {
    const value = { sql, params: encodeBindParams(params) };
    const answer = await this.#ask({ $case: "sqlExecute", value });
    return decodeExecuteResult(answer.sql);
  }

  /** A savepoint lasts one turn at most, and a statement here takes more than one. */
  savepoint(): Savepoint {
    throw sqlErrors.noTransactionHere();
  }
}
