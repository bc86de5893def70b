/** WatchedStore: an actor's store, with an eye on what becomes durable and on open transactions. */
import type { Env } from "@troupe/base";
import type { BindParams, ExecuteResult, SqlOutcome, SqlStatement } from "@troupe/protocol";
import type {
  ActorSql,
  ActorStore,
  Batch,
  BatchSource,
  CommitOutcome,
  MaybePromise,
  Row,
  RowChange,
  RowRange,
  Savepoint,
} from "../ports/storage.ts";
import type { Whole } from "../ports/whole.ts";
import { andThen } from "../storage/overlay.ts";

/** Told of what becomes durable. */
export interface StoreWatch {
  /** One batch, and how long it took from its taking. */
  stored(rows: readonly RowChange[], ms: number): void;
}

/** A store whose batches are watched. */
export class WatchedStore implements Whole<ActorStore> {
  readonly sql: ActorStore["sql"];
  readonly durable: ActorStore["durable"];
  readonly hold: ActorStore["hold"];
  readonly present: ActorStore["present"];
  readonly #store: ActorStore;
  readonly #env: Pick<Env, "clock">;
  readonly #watch: StoreWatch;
  #source: WatchedSource | undefined;
  #savepoints = 0;

  constructor(store: ActorStore, env: Pick<Env, "clock">, watch: StoreWatch) {
    this.#store = store;
    this.#env = env;
    this.#watch = watch;
    if (store.sql !== undefined) this.sql = (wrote) => this.#watched(store.sql?.(wrote));
    if (store.durable !== undefined) this.durable = () => store.durable?.() ?? Promise.resolve();
    if (store.hold !== undefined) this.hold = () => store.hold?.() ?? (() => {});
    if (store.present !== undefined) this.present = () => store.present?.();
  }

  /** True while something is written that may yet be undone. */
  get inTransaction(): boolean {
    return this.#savepoints > 0;
  }

  load(): Promise<readonly Row[]> {
    return this.#store.load();
  }

  read(keys: readonly string[]): MaybePromise<readonly (Uint8Array | undefined)[]> {
    return this.#store.read(keys);
  }

  list(range: RowRange): MaybePromise<readonly Row[]> {
    return this.#store.list(range);
  }

  commit(source: BatchSource): void {
    if (this.#source?.source !== source) this.#source = new WatchedSource(source, this.#env, this.#watch);
    this.#store.commit(this.#source);
  }

  close(): Promise<void> {
    return this.#store.close();
  }

  #watched(sql: ActorSql | undefined): ActorSql {
    if (sql === undefined) throw new TypeError("a store that has a database gives it");
    return new WatchedSql(sql, (more) => {
      this.#savepoints += more;
    });
  }
}

/** A writer whose batches are timed from their taking. They are settled in the order in which they were taken. */
class WatchedSource implements BatchSource {
  readonly source: BatchSource;
  readonly #env: Pick<Env, "clock">;
  readonly #watch: StoreWatch;
  readonly #taken: { readonly at: number; rows: readonly RowChange[] }[] = [];

  constructor(source: BatchSource, env: Pick<Env, "clock">, watch: StoreWatch) {
    this.source = source;
    this.#env = env;
    this.#watch = watch;
  }

  take(): Batch {
    const taken: { at: number; rows: readonly RowChange[] } = { at: this.#env.clock.monotonic(), rows: [] };
    // Also when it throws: then it is settled as failed.
    this.#taken.push(taken);
    const batch = this.source.take();
    taken.rows = batch.rows;
    return batch;
  }

  settled(outcome: CommitOutcome): void {
    const taken = this.#taken.shift();
    if (taken !== undefined && outcome.durable)
      this.#watch.stored(taken.rows, this.#env.clock.monotonic() - taken.at);
    this.source.settled(outcome);
  }

  soon(): Promise<void> | undefined {
    return this.source.soon?.();
  }
}

/** A database whose open savepoints are counted. */
class WatchedSql implements ActorSql {
  readonly #sql: ActorSql;
  readonly #count: (more: 1 | -1) => void;

  constructor(sql: ActorSql, count: (more: 1 | -1) => void) {
    this.#sql = sql;
    this.#count = count;
  }

  execute(sql: string, params: BindParams): MaybePromise<ExecuteResult> {
    return this.#sql.execute(sql, params);
  }

  batch(statements: readonly SqlStatement[]): MaybePromise<readonly ExecuteResult[]> {
    return this.#sql.batch(statements);
  }

  series(statements: readonly SqlStatement[], gave: (outcome: SqlOutcome) => void): MaybePromise<void> {
    return this.#sql.series(statements, gave);
  }

  savepoint(timeoutMs: number): MaybePromise<Savepoint> {
    return andThen(this.#sql.savepoint(timeoutMs), (savepoint) => {
      this.#count(1);
      return {
        release: () => this.#ended(() => savepoint.release()),
        rollback: () => this.#ended(() => savepoint.rollback()),
      };
    });
  }

  #ended(end: () => MaybePromise<void>): MaybePromise<void> {
    this.#count(-1);
    return end();
  }
}
