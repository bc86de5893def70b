/**
 * GuestStore: the store of an actor whose disk is at the other end of a line.
 *
 * A batch is settled when it was handed on: what is said from then on is behind it, and the host keeps it back until the
 * batch is durable. So an action costs one way there and back, not two.
 */
import type { Env, TroupeError } from "@troupe/base";
import {
  type CarriedAnswer,
  type CarriedAsk,
  type CarriedError,
  type CarriedRow,
  fromCarriedError,
  NO_PAYLOAD,
  SqlTurn,
  type Start,
  toCarriedError,
} from "@troupe/protocol/actor/v1";
import { changeOfCarriedRow, toCarriedRow } from "../actor/carried/rows.ts";
import { actorErrors, storageErrors } from "../errors.ts";
import { keyBytesOf } from "../kv/kv-key.ts";
import type { ActorSaying } from "../ports/carried.ts";
import {
  type ActorSql,
  type ActorStore,
  type Batch,
  type BatchSource,
  KV_END,
  KV_PREFIX,
  type Row,
  type RowRange,
} from "../ports/storage.ts";
import { remoteSqlErrors } from "../sql/remote-errors.ts";
import { notDurable } from "../storage/not-durable.ts";
import { GuestSql } from "./guest-sql.ts";

/** What a guest's store is made of. */
export interface GuestStoreParts {
  readonly env: Pick<Env, "afterTurn">;
  readonly start: Start;
  readonly send: (saying: ActorSaying) => void;
  readonly present?: (() => Promise<void> | undefined) | undefined;
}

/** One activation's store. */
export class GuestStore implements ActorStore {
  readonly #parts: GuestStoreParts;
  readonly #asked = new Map<number, Asked>();
  #last = 0;
  #source: BatchSource | undefined;
  #sql: GuestSql | undefined;
  /** Answers that brought turns which aren't over. */
  #turns = 0;
  #wrote: (() => void) | undefined;
  /** Why what a turn wrote can't be stored. */
  #torn: CarriedError | undefined;
  #lost: TroupeError | undefined;

  constructor(parts: GuestStoreParts) {
    this.#parts = parts;
  }

  load(): Promise<readonly Row[]> {
    return Promise.resolve(this.rows);
  }

  /** The rows that the host sent along. Throws `actor.bad_row`. */
  get rows(): readonly Row[] {
    return rowsOf(this.#parts.start.rows);
  }

  async read(keys: readonly string[]): Promise<readonly (Uint8Array | undefined)[]> {
    const { rows } = await this.ask(
      isKv(keys[0])
        ? { $case: "kvGet", value: { keys: keys.map(keyBytesOf) } }
        : { $case: "ownGet", value: { keys: [...keys] } },
    );
    const found = new Map(rowsOf(rows).map(({ key, value }) => [key, value]));
    return keys.map((key) => found.get(key));
  }

  async list({ start, end, limit, reverse }: RowRange): Promise<readonly Row[]> {
    if (!isKv(start)) {
      return rowsOf((await this.ask({ $case: "ownList", value: { start, end, limit, reverse } })).rows);
    }
    const value = {
      start: keyBytesOf(start),
      end: end === KV_END ? NO_PAYLOAD : keyBytesOf(end),
      limit,
      reverse,
    };
    return rowsOf((await this.ask({ $case: "kvList", value })).rows);
  }

  commit(source: BatchSource): void {
    if (this.#source !== undefined) return;
    this.#source = source;
    this.#parts.env.afterTurn(() => this.#take());
  }

  /** Statements are run by the host. What they wrote is stored with the turn that goes on with their answer. */
  sql(wrote: () => void): ActorSql {
    this.#wrote = wrote;
    this.#sql = new GuestSql({
      ask: (about, isLast) => this.ask(about, { isLast }),
      turn: () => this.#turn,
    });
    return this.#sql;
  }

  /**
   * One that has written before its first statement belongs to the batch that is open, which its Write is put into: it can't
   * wait for the next one.
   */
  get #turn(): SqlTurn {
    return this.#turns > 0 || this.#source !== undefined ? SqlTurn.CONTINUED : SqlTurn.HELD;
  }

  /** Statements that wait for the turn's end leave now: something is said that must not overtake them. */
  flush(): void {
    this.#sql?.flush();
  }

  async durable(): Promise<void> {
    await this.ask({ $case: "barrier", value: {} });
  }

  present(): Promise<void> | undefined {
    return this.#parts.present?.();
  }

  close(): Promise<void> {
    this.lost(storageErrors.closed());
    return Promise.resolve();
  }

  /** Asks the host; rejects with its error. */
  async ask(
    about: NonNullable<CarriedAsk["about"]>,
    { asking, isLast }: AskOptions = {},
  ): Promise<CarriedAnswer> {
    const { $case: what } = about;
    if (this.#lost !== undefined) throw lostAs(what, this.#lost, "never sent");
    this.#last += 1;
    const ask = this.#last;
    const answer = Promise.withResolvers<CarriedAnswer>();
    // One that can't be encoded is thrown here, and nobody waits for its answer.
    this.#parts.send({ $case: "ask", value: { ask, about } });
    this.#asked.set(ask, { what, answer, isLast, turn: turnOf(about) });
    asking?.(ask);
    return await answer.promise;
  }

  /** Nobody waits for the answer to a call any more. It comes all the same. */
  withdraw(ask: number): void {
    if (this.#asked.has(ask)) this.#parts.send({ $case: "withdraw", value: { ask } });
  }

  answered(answer: CarriedAnswer): void {
    const asked = this.#asked.get(answer.ask);
    if (asked === undefined) return;
    try {
      if (answer.error !== undefined) throw fromCarriedError(answer.error, "cbor");
      if (asked.isLast?.(answer) === false) return;
      asked.answer.resolve(answer);
    } catch (cause) {
      asked.answer.reject(cause);
    }
    this.#asked.delete(answer.ask);
    if (asked.turn !== undefined) this.#goesOn(asked.turn, answer.wrote === true);
  }

  /** A turn goes on, from before its code does. It is over in a macrotask of ours; the Write that says so has what it wrote. */
  #goesOn(turn: SqlTurn, wrote: boolean): void {
    if (this.#turns === 0) this.#parts.env.afterTurn(() => this.#turnOver());
    this.#turns += 1;
    // What goes with the batch of a call that isn't over has to go with this one.
    if (wrote || turn === SqlTurn.CONTINUED) this.#mark();
  }

  /**
   * A turn that has written goes on. When the activation has ended meanwhile, whose last batch is on its way, nothing that the
   * turn would write now is stored: so what it wrote before isn't either.
   */
  #mark(): void {
    try {
      this.#wrote?.();
    } catch (cause) {
      this.#torn ??= toCarriedError(cause, "cbor");
    }
  }

  #turnOver(): void {
    this.#take();
    if (this.#turns > 0 && this.#lost === undefined) this.#send({ rows: [] });
  }

  /** Nothing is stored and answered any more. `unsent`: questions that never left. */
  lost(error: TroupeError, unsent: ReadonlySet<number> = new Set()): void {
    this.#lost ??= error;
    for (const [ask, { what, answer }] of this.#asked)
      answer.reject(lostAs(what, this.#lost, unsent.has(ask) ? "never sent" : "sent"));
    this.#asked.clear();
  }

  #take(): void {
    const source = this.#source;
    this.#source = undefined;
    if (source === undefined) return;
    let batch: Batch;
    try {
      batch = source.take();
    } catch (cause) {
      const failed = notDurable("no", cause);
      this.#torn = toCarriedError(failed.error, "cbor");
      // Statements were run, or are being run: without this word the host would store them alone.
      if (this.#hasStatements && this.#lost === undefined) this.#send({ rows: [] });
      source.settled(failed);
      return;
    }
    if (this.#lost !== undefined) {
      source.settled({ durable: false, applied: "no", error: actorErrors.stopping() });
      return;
    }
    this.#send(batch);
    source.settled({ durable: true });
  }

  get #hasStatements(): boolean {
    return this.#turns > 0 || [...this.#asked.values()].some(({ what }) => sqlQuestions.has(what));
  }

  #send({ rows, alarm }: Batch): void {
    const torn = this.#torn;
    const turns = this.#turns === 0 && torn === undefined ? undefined : this.#turns;
    this.#turns = 0;
    this.#parts.send({
      $case: "write",
      value: {
        rows: rows.map((row) => toCarriedRow(row, "cbor")),
        alarmChanged: alarm !== undefined,
        alarmAt: alarm ?? 0,
        ...(turns === undefined ? {} : { turns }),
        ...(torn === undefined ? {} : { torn }),
      },
    });
  }
}

/** How a question is asked. */
export interface AskOptions {
  /** Told its number. */
  readonly asking?: ((ask: number) => void) | undefined;
  /** Told each answer, and says of the last one that it is. Without it one answer is all. */
  readonly isLast?: ((answer: CarriedAnswer) => boolean) | undefined;
}

/** A question that has no answer yet. */
interface Asked extends Pick<AskOptions, "isLast"> {
  /** The turn that asked goes on with the answer. */
  readonly turn: SqlTurn | undefined;
  readonly what: Question;
  readonly answer: PromiseWithResolvers<CarriedAnswer>;
}

type Question = NonNullable<CarriedAsk["about"]>["$case"];

function turnOf(about: NonNullable<CarriedAsk["about"]>): SqlTurn | undefined {
  return about.$case !== "sqlBegin" && "turn" in about.value ? about.value.turn : undefined;
}

/** SQL changes what is stored, so it is told apart whether nothing was done or nobody knows. */
const sqlQuestions: ReadonlyMap<Question, string> = new Map([
  ["sqlExecute", "the statement"],
  ["sqlBatch", "the statement, and those that went with it,"],
  ["sqlBegin", "the beginning of the transaction"],
  ["sqlEnd", "the end of the transaction"],
]);

function lostAs(what: Question, error: TroupeError, sent: "sent" | "never sent"): TroupeError {
  const operation = sqlQuestions.get(what);
  if (operation === undefined || error.group !== "host") return error;
  return sent === "sent"
    ? remoteSqlErrors.indeterminateResult(operation)
    : remoteSqlErrors.unavailable(operation);
}

/** Whoever reads rows reads those of one owner. */
function isKv(key: string | undefined): boolean {
  return key?.startsWith(KV_PREFIX) ?? true;
}

function rowsOf(rows: readonly CarriedRow[]): Row[] {
  return rows.map((row) => {
    const { key, value } = changeOfCarriedRow(row, "cbor");
    return { key, value: value ?? NO_PAYLOAD };
  });
}
