/** HelpedSql: an activation's statements, in a helper process. */
import { assert, type Env } from "@troupe/base";
import {
  type BindParams,
  type ExecuteResult,
  limits,
  type SqlOutcome,
  type SqlStatement,
} from "@troupe/protocol";
import type { ActorSql, Savepoint } from "../../../ports/storage.ts";
import { sqlErrors } from "../../../sql/errors.ts";
import type { ActorFileUse } from "../own/actor-file.ts";
import { bind } from "../own/bindings.ts";
import { checkText } from "../own/own-sql.ts";
import { type HelperLine, LostInQuestion } from "./helper-line.ts";

/** As much of a statement as names it. Characters. */
const NAMED = 256;
/** Texts that are kept in mind, and how long they may be. Characters. */
const KEPT = 128;
const KEPT_LENGTH = 4_096;

/** What it is made of. */
export interface HelpedSqlParts {
  readonly line: HelperLine;
  readonly use: ActorFileUse;
  /** One text of SQL has so long. */
  readonly statementMs: number;
  readonly log: Env["log"];
  /** A number that no other savepoint of the file has. */
  readonly savepoint: () => number;
}

/** `ActorSql` of one activation. */
export class HelpedSql implements ActorSql {
  readonly #parts: HelpedSqlParts;
  /** Texts that write: those aren't tried without. */
  readonly #writers = new Set<string>();

  constructor(parts: HelpedSqlParts) {
    this.#parts = parts;
  }

  async execute(sql: string, params: BindParams): Promise<ExecuteResult> {
    // Before it is sent anywhere; the helper does it again.
    checkText(sql);
    bind(params);
    const { line, statementMs } = this.#parts;
    return await line.run(async () => {
      this.#check();
      try {
        return (await this.#run(sql, params, statementMs)) ?? (await this.#write(sql, params, statementMs));
      } catch (cause) {
        throw cause instanceof LostInQuestion ? this.#ended(cause, sql) : cause;
      }
    });
  }

  /** One question: the helper does all of it, or nothing. */
  async batch(statements: readonly SqlStatement[]): Promise<readonly ExecuteResult[]> {
    for (const { sql, params } of statements) {
      checkText(sql);
      bind(params);
    }
    const { line, statementMs, use } = this.#parts;
    return await line.run(async () => {
      this.#check();
      use.wrote();
      try {
        return await line.ask({ kind: "batch", statements }, statementMs);
      } catch (cause) {
        throw cause instanceof LostInQuestion ? this.#ended(cause, statements[0]?.sql ?? "") : cause;
      }
    });
  }

  async series(statements: readonly SqlStatement[], gave: (outcome: SqlOutcome) => void): Promise<void> {
    // All of them are in the line at once: nobody comes between.
    const results = statements.map(({ sql, params }) =>
      this.execute(sql, params).then(
        (result): SqlOutcome => ({ result }),
        (error: unknown): SqlOutcome => ({ error }),
      ),
    );
    for (const result of results) gave(await result);
  }

  async savepoint(): Promise<Savepoint> {
    const { line, use } = this.#parts;
    const savepoint = this.#parts.savepoint();
    use.check();
    use.wrote();
    const letGo = use.hold();
    try {
      const losses = await line.run(async () => {
        this.#check();
        await this.#ask({ kind: "savepoint", savepoint });
        return line.losses;
      });
      return this.#held(savepoint, losses, letGo);
    } catch (cause) {
      letGo();
      throw cause;
    }
  }

  /** `undefined`: it writes, which the helper has found out. */
  async #run(sql: string, params: BindParams, timeoutMs: number): Promise<ExecuteResult | undefined> {
    if (this.#writers.has(sql)) return undefined;
    const question = { kind: "execute", sql, params, mayWrite: false } as const;
    return await this.#parts.line.ask(question, timeoutMs);
  }

  /** Whoever has the batch is asked before anything is written. */
  async #write(sql: string, params: BindParams, timeoutMs: number): Promise<ExecuteResult> {
    this.#parts.use.wrote();
    if (sql.length <= KEPT_LENGTH) {
      if (this.#writers.size >= KEPT) this.#writers.clear();
      this.#writers.add(sql);
    }
    const question = { kind: "execute", sql, params, mayWrite: true } as const;
    const result = await this.#parts.line.ask(question, timeoutMs);
    assert(result !== undefined, "what may write is run");
    return result;
  }

  /** A savepoint whose end lets the batch go. */
  #held(savepoint: number, losses: number, letGo: () => void): Savepoint {
    const { line } = this.#parts;
    // Who undoes one that is just being undone waits for that.
    let over = false;
    const ended = async (end: () => Promise<void>): Promise<void> => {
      try {
        await line.run(end);
      } finally {
        letGo();
      }
    };
    return {
      release: () =>
        ended(async () => {
          this.#checkWhole();
          if (over || line.losses !== losses) throw sqlErrors.transactionEnded();
          over = true;
          await this.#ask({ kind: "release", savepoint });
        }),
      rollback: () =>
        ended(async () => {
          if (over || line.undone !== undefined || line.losses !== losses) return;
          over = true;
          await this.#ask({ kind: "rollback", savepoint });
        }),
    };
  }

  async #ask(question: {
    readonly kind: "savepoint" | "release" | "rollback";
    readonly savepoint: number;
  }): Promise<void> {
    const { line } = this.#parts;
    try {
      await line.ask(question, limits.sqlHelperAnswerMs);
    } catch (cause) {
      throw cause instanceof LostInQuestion ? cause.error : cause;
    }
  }

  #check(): void {
    this.#parts.use.check();
    this.#checkWhole();
  }

  #checkWhole(): void {
    const { undone } = this.#parts.line;
    if (undone !== undefined) throw undone;
  }

  #ended({ error }: LostInQuestion, sql: string): unknown {
    const { log, use } = this.#parts;
    log.warn("a statement of SQL was ended with its process", {
      actorId: use.actorId,
      sql: sql.slice(0, NAMED),
      error: `${error.group}.${error.code}`,
    });
    return error;
  }
}
