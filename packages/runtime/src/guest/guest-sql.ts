/**
 * GuestSql: the database of an actor whose disk is at the other end of a line.
 *
 * Each statement is a question, and is run by the time of its answer. As far as anybody sees, it doesn't end the turn: the host
 * takes no batch until what went on with the answer has ended, too. Whoever is here keeps statements in line (`WriteSlot`): one
 * that comes while a transaction is open is in the innermost.
 *
 * Statements that nobody awaits one by one (`Promise.all`) travel together (`statement-group.ts`): they leave with the turn's
 * microtasks, or before whatever else the actor says, so that nothing that is said behind them overtakes them. What is more
 * than an engine takes at once waits here (`sql-pace.ts`), and what the actor says meanwhile doesn't wait for it.
 */
import type { BindParams, ExecuteResult, SqlStatement } from "@troupe/protocol";
import {
  type CarriedAnswer,
  type CarriedAsk,
  decodeExecuteResult,
  decodeSqlOutcomes,
  type SqlTurn,
} from "@troupe/protocol/actor/v1";
import type { ActorSql, Savepoint } from "../ports/storage.ts";
import { SqlPace } from "./sql-pace.ts";
import { type GroupedStatement, StatementGroup } from "./statement-group.ts";

/** Asks the host. `isLast` is told each answer, and says of the last one that it is; without it one answer is all. */
export type AskHost = (
  about: NonNullable<CarriedAsk["about"]>,
  isLast?: (answer: CarriedAnswer) => boolean,
) => Promise<CarriedAnswer>;

/** What it needs of its store. */
export interface GuestSqlParts {
  readonly ask: AskHost;
  /** Which turn a statement is of that leaves now. */
  readonly turn: () => SqlTurn;
}

/** `ActorSql` over a line. */
export class GuestSql implements ActorSql {
  readonly #ask: AskHost;
  readonly #turn: () => SqlTurn;
  readonly #pace = new SqlPace();
  /** Numbers of the transactions that are open, the innermost last. */
  #open: readonly number[] = [];
  #last = 0;
  /** What hasn't left. */
  #group: StatementGroup | undefined;

  constructor({ ask, turn }: GuestSqlParts) {
    this.#ask = ask;
    this.#turn = turn;
  }

  execute(sql: string, params: BindParams): Promise<ExecuteResult> {
    const group = this.#groupOf(this.#innermost);
    try {
      this.#pace.check(group.load);
    } catch (cause) {
      return Promise.reject(cause);
    }
    const gave = group.add({ sql, params });
    if (group.isFull) this.flush();
    return gave;
  }

  async batch(statements: readonly SqlStatement[]): Promise<readonly ExecuteResult[]> {
    const group = new StatementGroup(this.#innermost);
    const results = Promise.all(statements.map((statement) => group.add(statement)));
    const { error } = group;
    this.#pace.check();
    this.flush();
    if (error === undefined) void this.#send(group, true);
    else group.fail(error);
    return await results;
  }

  async series(...[statements, gave]: Parameters<ActorSql["series"]>): Promise<void> {
    const outcomes = statements.map(({ sql, params }) =>
      this.execute(sql, params).then(
        (result) => ({ result }),
        (error: unknown) => ({ error }),
      ),
    );
    for (const outcome of outcomes) gave(await outcome);
  }

  async savepoint(timeoutMs: number): Promise<Savepoint> {
    this.#last += 1;
    const transaction = this.#last;
    const outer = this.#innermost;
    const value = { transaction, outer, timeoutMs: Math.ceil(timeoutMs) };
    this.flush();
    await this.#pace.run(() => this.#ask({ $case: "sqlBegin", value: { ...value, ...this.#of(outer) } }));
    this.#open = [...this.#open, transaction];
    return {
      release: () => this.#end(transaction, false),
      rollback: () => this.#end(transaction, true),
    };
  }

  /** Sends what hasn't left. */
  flush(): void {
    const group = this.#group;
    this.#group = undefined;
    if (group !== undefined) void this.#send(group, false);
  }

  get #innermost(): number {
    return this.#open.at(-1) ?? 0;
  }

  #groupOf(transaction: number): StatementGroup {
    if (this.#group?.transaction !== transaction) this.flush();
    if (this.#group !== undefined) return this.#group;
    const group = new StatementGroup(transaction);
    this.#group = group;
    void Promise.resolve().then(() => {
      if (this.#group === group) this.flush();
    });
    return group;
  }

  /** Never rejects: each of its statements does. */
  async #send(group: StatementGroup, whole: boolean): Promise<void> {
    const { statements, transaction } = group;
    const [first] = statements;
    if (first === undefined) return;
    try {
      const answered = ({ sql }: CarriedAnswer): boolean => group.answered(decodeSqlOutcomes(sql));
      const isOne = statements.length === 1 && !whole;
      const send = (): Promise<unknown> =>
        isOne
          ? this.#sendOne(first, transaction)
          : this.#ask(
              { $case: "sqlBatch", value: { ...group.message(whole), ...this.#of(transaction) } },
              answered,
            );
      await this.#pace.run(send, group.load);
    } catch (cause) {
      group.fail(cause);
    }
  }

  async #sendOne({ sql, params, gave }: GroupedStatement, transaction: number): Promise<void> {
    const value = { sql, params, transaction, ...this.#of(transaction) };
    const answer = await this.#ask({ $case: "sqlExecute", value });
    gave.resolve(decodeExecuteResult(answer.sql));
  }

  /** Those inside of it end with it. */
  async #end(transaction: number, undo: boolean): Promise<void> {
    this.flush();
    this.#open = this.#open.filter((number) => number < transaction);
    const turn = this.#of(this.#innermost);
    await this.#pace.run(() => this.#ask({ $case: "sqlEnd", value: { transaction, undo, ...turn } }));
  }

  /** The turn of what is asked inside of a transaction, or outside of all: inside, that holds the batch. */
  #of(transaction: number): { readonly turn?: SqlTurn } {
    return transaction === 0 ? { turn: this.#turn() } : {};
  }
}
