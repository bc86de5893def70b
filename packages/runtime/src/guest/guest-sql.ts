/**
 * GuestSql: the database of an actor whose disk is at the other end of a line.
 *
 * Each statement is a question, and is run by the time of its answer; what it wrote goes with the host's next batch. It
 * ends the turn, as anything does that waits for somebody else. Whoever is here keeps statements in line (`WriteSlot`): one
 * that comes while a transaction is open is in the innermost.
 */
import type { BindParams, ExecuteResult } from "@troupe/protocol";
import {
  type CarriedAnswer,
  type CarriedAsk,
  decodeExecuteResult,
  encodeBindParams,
  isBindParam,
} from "@troupe/protocol/actor/v1";
import type { ActorSql, Savepoint } from "../ports/storage.ts";
import { sqlErrors } from "../sql/errors.ts";

/** Asks the host. */
export type AskHost = (about: NonNullable<CarriedAsk["about"]>) => Promise<CarriedAnswer>;

/** `ActorSql` over a line. */
export class GuestSql implements ActorSql {
  readonly #ask: AskHost;
  /** Numbers of the transactions that are open, the innermost last. */
  #open: readonly number[] = [];
  #last = 0;

  constructor(ask: AskHost) {
    this.#ask = ask;
  }

  async execute(sql: string, params: BindParams): Promise<ExecuteResult> {
    for (const [name, param] of Object.entries(params))
      if (!isBindParam(param)) throw sqlErrors.invalidParameter(name);
    const value = { sql, params: encodeBindParams(params), transaction: this.#innermost };
    const answer = await this.#ask({ $case: "sqlExecute", value });
    return decodeExecuteResult(answer.sql);
  }

  async savepoint(timeoutMs: number): Promise<Savepoint> {
    this.#last += 1;
    const transaction = this.#last;
    const outer = this.#innermost;
    await this.#ask({
      $case: "sqlBegin",
      value: { transaction, outer, timeoutMs: Math.ceil(timeoutMs) },
    });
    this.#open = [...this.#open, transaction];
    return {
      release: () => this.#end(transaction, false),
      rollback: () => this.#end(transaction, true),
    };
  }

  get #innermost(): number {
    return this.#open.at(-1) ?? 0;
  }

  /** Those inside of it end with it. */
  async #end(transaction: number, undo: boolean): Promise<void> {
    this.#open = this.#open.filter((number) => number < transaction);
    await this.#ask({ $case: "sqlEnd", value: { transaction, undo } });
  }
}
