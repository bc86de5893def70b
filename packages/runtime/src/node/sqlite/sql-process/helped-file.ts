/**
 * HelpedFile: one actor's file, served by a helper process: the actor's code isn't trusted, and a statement that doesn't
 * end is ended with the process.
 *
 * Everything that is asked of the file goes through one line, and the next question is sent when the last one is answered:
 * statements, reads and batches happen in the order in which they were asked for, as they do where the file is at hand. So
 * when a helper is lost, one question at most is under way, and what the helper had is known:
 *
 *   nothing pending    the question fails, and all that is behind it goes on in a new helper
 *   a batch is open    what its turns wrote is gone: the question, every statement after it, and the batch itself fail
 *                      (`applied: "no"`), so that the activation ends, and the actor starts anew from what is stored
 *   a commit           nobody knows whether it was made: `applied: "unknown"`, and the activation ends as well
 *
 * Nothing that anybody was told of is lost by it: a batch is told when the helper has synced it.
 *
 * The helper is borrowed for the first question, and given back when the database has rested, see `helper-pool.ts`; not
 * while a batch is open.
 */
import { assert, type Env, TroupeError } from "@troupe/base";
import { limits } from "@troupe/protocol";
import type { ActorSql, Batch, Row, RowRange } from "../../../ports/storage.ts";
import { RoundFailed, type Write } from "../../../storage/commit-file.ts";
import { backupLimits } from "../backup/limits.ts";
import type { FileHealth } from "../data-file.ts";
import type { ActorFile, ActorFileUse, OwnTarget } from "../own/actor-file.ts";
import { AlarmIndex } from "../own/alarm-index.ts";
import { lookAt, type OwnPaths } from "../own/own-paths.ts";
import { HelpedSql } from "./helped-sql.ts";
import { HelperLine, LostInQuestion } from "./helper-line.ts";
import type { HelperQuestion, HelperValues, OpenQuestion } from "./helper-messages.ts";
import type { HelperPool } from "./helper-pool.ts";
import { SyncFailed } from "./sync-failed.ts";

/** What one file is made of. */
export interface HelpedFileOptions {
  readonly env: Pick<Env, "afterTurn" | "clock" | "timers" | "log">;
  readonly helpers: HelperPool;
  readonly durability: OpenQuestion["durability"];
  readonly paths: OwnPaths;
  readonly health: FileHealth;
  /** One text of SQL has so long. */
  readonly statementMs: number;
  /** Puts the alarm into the index; settles when it is durable. */
  readonly setAlarm: (at: number | null) => Promise<void>;
}

/** The file of one actor whose code isn't trusted. */
export class HelpedFile implements ActorFile {
  readonly #options: HelpedFileOptions;
  readonly #line: HelperLine;
  readonly #alarm: AlarmIndex;
  #round: Promise<void> = Promise.resolve();
  #savepoints = 0;

  constructor(options: HelpedFileOptions) {
    this.#options = options;
    const { env, helpers, paths, setAlarm } = options;
    this.#alarm = new AlarmIndex({ log: env.log, path: paths.path, setAlarm });
    this.#line = new HelperLine({ env, pool: helpers, opening: () => this.#opening() });
  }

  sql(use: ActorFileUse): ActorSql {
    const { statementMs, env } = this.#options;
    const savepoint = (): number => {
      this.#savepoints += 1;
      return this.#savepoints;
    };
    return new HelpedSql({ line: this.#line, use, statementMs, log: env.log, savepoint });
  }

  async load(): Promise<readonly Row[]> {
    const { paths } = this.#options;
    // Nothing was ever written to it, and nobody was promised anything.
    if (!this.#line.open && lookAt(paths) === "unused") return [];
    return await this.#ask({ kind: "load" });
  }

  read(_target: OwnTarget, keys: readonly string[]): Promise<readonly (Uint8Array | undefined)[]> {
    return this.#ask({ kind: "read", keys });
  }

  list(_target: OwnTarget, range: RowRange): Promise<readonly Row[]> {
    return this.#ask({ kind: "list", range });
  }

  /** Only begins it: what `write` of a file at hand throws, `sync` says. */
  write([write, ...others]: readonly Write<OwnTarget>[]): void {
    assert(write !== undefined && others.length === 0, "an actor's file has one writer");
    const { batch } = write;
    this.#round = this.#line.run(() => this.#commit(batch));
  }

  sync(done: (error?: unknown) => void): void {
    const { env } = this.#options;
    this.#round
      .then(() => this.#alarm.tell())
      .then(
        () => env.afterTurn(() => done()),
        (error: unknown) => env.afterTurn(() => done(error)),
      );
  }

  abandon(): void {
    // A helper that can't do it is lost, and what it had with it.
    this.#line.run(() => this.#line.abandon()).catch(() => {});
  }

  async close(): Promise<void> {
    const line = this.#line;
    // Whoever asked for what is under way has gone, and nothing of it would be stored.
    line.killRunning();
    await line.run(async () => {
      await line.abandon().catch(() => {});
      await line.leave();
      await line.released();
    });
  }

  /** The helper gives the file back, and what is asked of it meanwhile waits. */
  async aside(copy: () => Promise<void>): Promise<boolean> {
    const { env } = this.#options;
    const copied = async (): Promise<boolean> => {
      await this.#line.leave();
      // It holds what no batch has stored.
      if (this.#line.open) return false;
      await this.#line.released();
      await copy();
      return true;
    };
    for (let tries = 0; tries < backupLimits.fileTries; tries += 1) {
      if (await this.#line.run(copied)) return true;
      await new Promise<void>((resolve) => env.timers.set(resolve, backupLimits.fileTryMs));
    }
    return false;
  }

  async #commit(batch: Batch): Promise<void> {
    const line = this.#line;
    if (line.undone !== undefined) throw new RoundFailed("no", line.undone);
    try {
      await line.ask({ kind: "commit", batch }, limits.sqlHelperAnswerMs);
    } catch (cause) {
      if (cause instanceof SyncFailed) throw cause;
      if (!(cause instanceof LostInQuestion)) throw new RoundFailed("no", this.#found(cause));
      line.lose(cause.error);
      throw new RoundFailed("unknown", cause.error);
    }
    if (batch.alarm !== undefined) this.#alarm.changed(batch.alarm);
  }

  #ask<Question extends HelperQuestion>(question: Question): Promise<HelperValues[Question["kind"]]> {
    return this.#line.run(async () => {
      try {
        return await this.#line.ask(question, limits.sqlHelperAnswerMs);
      } catch (cause) {
        throw cause instanceof LostInQuestion ? cause.error : this.#found(cause);
      }
    });
  }

  /** Damage is told to whoever watches the process. */
  #found(cause: unknown): unknown {
    if (!TroupeError.is(cause)) return cause;
    const { health, paths } = this.#options;
    if (cause.code === "corrupt" && !paths.exists()) health.missing(paths.path, cause);
    else health.found(cause);
    return cause;
  }

  #opening(): OpenQuestion {
    const { paths, durability } = this.#options;
    return { kind: "open", path: paths.path, spare: paths.isNew() ? paths.spare : undefined, durability };
  }
}
