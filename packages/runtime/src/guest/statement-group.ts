/**
 * StatementGroup: statements on their way together, each with somebody who waits for what it gives.
 *
 * Parameters are encoded when the statement is given: what its owner does to them afterwards changes nothing.
 */
import {
  type BindParams,
  type ExecuteResult,
  limits,
  type SqlOutcome,
  type SqlStatement,
} from "@troupe/protocol";
import { encodeBindParams, isBindParam, type SqlBatch } from "@troupe/protocol/actor/v1";
import { sqlErrors } from "../sql/errors.ts";
import type { SqlLoad } from "./sql-pace.ts";

/** A statement, and who waits for it. */
export interface GroupedStatement {
  readonly sql: string;
  readonly params: Uint8Array;
  readonly gave: PromiseWithResolvers<ExecuteResult>;
}

/** Statements of one transaction, or of none (0). */
export class StatementGroup {
  readonly transaction: number;
  readonly statements: GroupedStatement[] = [];
  /** The first that a statement was refused with before it had left. */
  error: unknown;
  #bytes = 0;
  /** Those that have their answers. */
  #answered = 0;

  constructor(transaction: number) {
    this.transaction = transaction;
  }

  get load(): SqlLoad {
    return { count: this.statements.length, bytes: this.#bytes };
  }

  /** What comes behind it goes in another one. */
  get isFull(): boolean {
    return this.statements.length >= limits.sqlGroupStatements || this.#bytes >= limits.sqlGroupBytes;
  }

  /** Settles with what it gives. Rejects with `sql.invalid_parameter`, `value.*` when it can't leave. */
  add({ sql, params }: SqlStatement): Promise<ExecuteResult> {
    let bytes: Uint8Array;
    try {
      checkParams(params);
      bytes = encodeBindParams(params);
    } catch (cause) {
      this.error ??= cause;
      return Promise.reject(cause);
    }
    const gave = Promise.withResolvers<ExecuteResult>();
    this.statements.push({ sql, params: bytes, gave });
    this.#bytes += sql.length + bytes.byteLength;
    return gave.promise;
  }

  /** All of them; each text once. */
  message(whole: boolean): SqlBatch {
    const places = new Map<string, number>();
    const texts: string[] = [];
    const statements: { text: number; params: Uint8Array }[] = [];
    for (const { sql, params } of this.statements) {
      let text = places.get(sql);
      if (text === undefined) {
        text = texts.length;
        places.set(sql, text);
        texts.push(sql);
      }
      statements.push({ text, params });
    }
    return { texts, statements, transaction: this.transaction, whole };
  }

  /** What those next in order gave. True when it was the last one's. */
  answered(outcomes: readonly SqlOutcome[]): boolean {
    for (const outcome of outcomes) {
      const gave = this.statements[this.#answered]?.gave;
      this.#answered += 1;
      if ("result" in outcome) gave?.resolve(outcome.result);
      else gave?.reject(outcome.error);
    }
    return this.#answered >= this.statements.length;
  }

  /** Those that have no answer get none. */
  fail(error: unknown): void {
    for (const { gave } of this.statements.slice(this.#answered)) gave.reject(error);
    this.#answered = this.statements.length;
  }
}

function checkParams(params: BindParams): void {
  if (Array.isArray(params) && params.every(isBindParam)) return;
  for (const [name, param] of Object.entries(params))
    if (!isBindParam(param)) throw sqlErrors.invalidParameter(name);
}
