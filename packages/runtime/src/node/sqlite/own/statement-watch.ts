/**
 * StatementWatch: says which statement of which actor holds up the process.
 *
 * A statement runs on the JavaScript thread and can't be interrupted: node:sqlite has no call for it. While it runs nobody
 * here can say anything, so a thread looks at shared memory, and writes a line when the same statement has run for
 * `limits.sqlSlowMs` since it was seen. When it has ended, the log says how long it took. The thread is started by the
 * first statement, and sleeps while there are none.
 *
 * Reading the clock costs as much as a tenth of an insert: where there is the thread it alone does.
 */
import { Worker } from "node:worker_threads";
import type { Logger } from "@troupe/base";
import { limits, utf8Bytes } from "@troupe/protocol";
import { workerUrl } from "../worker-url.ts";
import {
  ACTOR_BYTES,
  ACTOR_LENGTH,
  ACTOR_OFFSET,
  MEMORY_BYTES,
  NUMBERS,
  NUMBERS_OFFSET,
  PARKED,
  RUNNING,
  SEEN,
  SINCE,
  SQL_BYTES,
  SQL_LENGTH,
  SQL_OFFSET,
  type StatementWorkerData,
} from "./statement-cells.ts";

const LAST_NUMBER = 2 ** 31 - 1;

/** What a watch is made of. */
export interface StatementWatchOptions {
  readonly log: Logger;
  /** Where the thread writes; undefined: there is no thread, and the log alone says it, at the statement's end. */
  readonly fd: number | undefined;
}

/** A statement as it is named. */
export interface WatchedStatement {
  readonly sql: string;
  /** Its text's first bytes. */
  readonly label: Uint8Array;
}

/** The bytes that name a statement. */
export function labelOf(sql: string): Uint8Array {
  return utf8Bytes(sql.slice(0, SQL_BYTES)).subarray(0, SQL_BYTES);
}

/** Watches the statements of one process's data directory. */
export class StatementWatch {
  readonly #options: StatementWatchOptions;
  readonly #memory = new SharedArrayBuffer(MEMORY_BYTES);
  readonly #times = new Float64Array(this.#memory, 0, 1);
  readonly #numbers = new Int32Array(this.#memory, NUMBERS_OFFSET, NUMBERS);
  readonly #bytes = new Uint8Array(this.#memory);
  #worker: Worker | undefined;
  /** Of the statement that runs, or ran last. */
  #number = 0;
  #since = 0;
  /** What stands in the memory. */
  #actorId = "";
  #label: Uint8Array | undefined;

  constructor(options: StatementWatchOptions) {
    this.#options = options;
  }

  /** A statement begins. Nothing else is watched until {@link end}. */
  begin(actorId: string, { label }: WatchedStatement): void {
    const { fd } = this.#options;
    if (fd === undefined) this.#since = Date.now();
    else this.#show(actorId, label, fd);
  }

  /** It has ended. */
  end(actorId: string, { sql }: WatchedStatement): void {
    if (this.#worker !== undefined) {
      // Looked at first: as soon as nothing runs, the thread may have seen that too.
      const isSeen = this.#numbers[SEEN] === this.#number;
      this.#since = this.#times[SINCE] ?? 0;
      this.#numbers[RUNNING] = 0;
      // Those that the thread hasn't seen were quick.
      if (!isSeen) return;
    }
    const ms = Date.now() - this.#since;
    if (ms >= limits.sqlSlowMs) this.#ended(actorId, sql, ms);
  }

  async stop(): Promise<void> {
    await this.#worker?.terminate();
  }

  #show(actorId: string, label: Uint8Array, fd: number): void {
    this.#worker ??= this.#start(fd);
    if (this.#actorId !== actorId) {
      this.#actorId = actorId;
      const bytes = utf8Bytes(actorId).subarray(0, ACTOR_BYTES);
      this.#bytes.set(bytes, ACTOR_OFFSET);
      this.#numbers[ACTOR_LENGTH] = bytes.byteLength;
    }
    if (this.#label !== label) {
      this.#label = label;
      this.#bytes.set(label, SQL_OFFSET);
      this.#numbers[SQL_LENGTH] = label.byteLength;
    }
    this.#number = this.#number === LAST_NUMBER ? 1 : this.#number + 1;
    this.#numbers[RUNNING] = this.#number;
    if (Atomics.load(this.#numbers, PARKED) === 0) return;
    Atomics.store(this.#numbers, PARKED, 0);
    Atomics.notify(this.#numbers, PARKED);
  }

  #ended(actorId: string, sql: string, ms: number): void {
    this.#options.log.warn("a statement of SQL held up the process", {
      actorId,
      sql: sql.slice(0, SQL_BYTES),
      ms,
    });
  }

  #start(fd: number): Worker {
    const data: StatementWorkerData = { memory: this.#memory, slowMs: limits.sqlSlowMs, fd };
    const worker = new Worker(workerUrl("statement-worker", import.meta.url), {
      execArgv: [],
      name: "troupe-sql-watch",
      workerData: data,
    });
    // Without it statements run unwatched, and the log names them at their end.
    worker.on("error", (cause) => this.#options.log.warn("the watch over SQL has ended", { cause }));
    worker.unref();
    return worker;
  }
}
