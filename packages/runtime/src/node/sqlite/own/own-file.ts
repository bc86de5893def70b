/**
 * OwnFile: one actor's file as its committer sees it. It has one writer, so its rounds hold one batch each; the syncs of
 * all files share a few threads, and go there together.
 *
 * The alarm is in the file, with the rows that it belongs to, and in the shard's index, which is asked for what is due. A
 * batch that moves it is told when both are durable. After a crash the index may be behind: whoever opens the store looks
 * into every file with a log, which is what a clean end doesn't leave, and mends the index.
 */
import type { Env, TimerHandle } from "@troupe/base";
import { limits } from "@troupe/protocol";
import type { ActorSql, Batch, Row, RowRange } from "../../../ports/storage.ts";
import type { Write } from "../../../storage/commit-file.ts";
import type { DataFile } from "../data-file.ts";
import { fileError } from "../files.ts";
import type { HelperPool } from "../sql-process/helper-pool.ts";
import { WalDescriptor } from "../wal-descriptor.ts";
import type { ActorFile, ActorFileUse, OwnTarget } from "./actor-file.ts";
import { AlarmIndex } from "./alarm-index.ts";
import type { CheckpointThreads } from "./checkpoint-threads.ts";
import type { OwnConnection } from "./own-connection.ts";
import { createOwnFile, hasLog, openInMemory, openOwnFile } from "./own-database-file.ts";
import { forgetSpare, lookAt, type OwnPaths } from "./own-paths.ts";
import { OwnSql } from "./own-sql.ts";
import type { StatementWatch } from "./statement-watch.ts";
import type { SyncThreads } from "./sync-threads.ts";

/** Where files are, and what keeps them; in memory none of it. */
export interface OwnPlace {
  readonly directory: string;
  readonly durability: "commit" | "interval";
  readonly syncThreads: SyncThreads;
  readonly checkpoints: CheckpointThreads;
  /** For those whose actors' code isn't trusted. */
  readonly helpers: HelperPool;
}

/** What one file is made of. */
export interface OwnFileOptions {
  readonly env: Pick<Env, "afterTurn" | "timers" | "log">;
  readonly place: (OwnPlace & { readonly paths: OwnPaths }) | "memory";
  /** Its path is of no meaning in memory. */
  readonly file: DataFile;
  readonly watch: StatementWatch;
  /** Puts the alarm into the index; settles when it is durable. */
  readonly setAlarm: (at: number | null) => Promise<void>;
  /** A sync failed. */
  readonly onFatal: (cause: unknown) => void;
}

type FilePlace = Exclude<OwnFileOptions["place"], "memory">;

type Done = (error?: unknown) => void;

const SYNC_INTERVAL_MS = 1_000;
const PAGE_BYTES = 4_096;

/** The file of one actor with a database. */
export class OwnFile implements ActorFile {
  readonly #options: OwnFileOptions;
  #connection: OwnConnection | undefined;
  #log: WalDescriptor | undefined;
  /** Whether the file's name in the directory is known to be durable. */
  #entry: "durable" | "new" = "durable";
  readonly #alarm: AlarmIndex;
  /** Something was written since the last sync began. */
  #written = false;
  #timer: TimerHandle | undefined;
  #background: Promise<void> | undefined;
  /** Pages in the log that no checkpoint has moved, from above; and how long the log's file was at the last one. */
  #pages = 0;
  #passedEnd = 0;
  /** Why nothing can be made durable any more. */
  #broken: unknown;

  constructor(options: OwnFileOptions) {
    this.#options = options;
    const { env, file, setAlarm } = options;
    this.#alarm = new AlarmIndex({ log: env.log, path: file.path, setAlarm });
  }

  /** The connection. Makes the file of its spare when there is none. Throws `storage.corrupt` when neither is there. */
  connection(): OwnConnection {
    this.#connection ??= this.#open();
    return this.#connection;
  }

  sql({ actorId, check, wrote, hold }: ActorFileUse): ActorSql {
    const connection = (): OwnConnection => {
      check();
      try {
        return this.connection();
      } catch (error) {
        throw fileError("an actor's file", error);
      }
    };
    return new OwnSql({ actorId, watch: this.#options.watch, connection, wrote, hold });
  }

  async load(): Promise<readonly Row[]> {
    if (this.#isUnused()) return [];
    await this.#closeForAnother();
    return this.connection().load();
  }

  read(_target: OwnTarget, keys: readonly string[]): readonly (Uint8Array | undefined)[] {
    return this.connection().read(keys);
  }

  list(_target: OwnTarget, range: RowRange): readonly Row[] {
    return this.connection().list(range);
  }

  write(writes: readonly Write<OwnTarget>[]): void {
    const connection = this.connection();
    for (const { batch } of writes) {
      if (batch.rows.length === 0 && batch.alarm === undefined && !connection.inTransaction) {
        connection.checkWhole();
        continue;
      }
      this.#log?.verify();
      this.#commit(connection, batch);
      this.#log?.wrote();
      this.#pages += connection.takeChanges() + batch.rows.length;
      this.#written = true;
      if (batch.alarm !== undefined) this.#alarm.changed(batch.alarm);
    }
  }

  #commit(connection: OwnConnection, batch: Batch): void {
    try {
      connection.commit(batch);
    } catch (error) {
      throw this.#options.file.ofWrite(error);
    }
  }

  sync(done: Done): void {
    const { env } = this.#options;
    this.#makeDurable().then(
      () => env.afterTurn(() => done()),
      (error: unknown) => {
        this.#broken ??= error;
        env.afterTurn(() => done(error));
      },
    );
  }

  /** What no batch has stored is gone: it was written by an activation that is fenced off. */
  abandon(): void {
    this.#connection?.abandon();
  }

  /** What no batch has stored is gone, and the file is closed. In memory it stays. */
  async close(): Promise<void> {
    const connection = this.#connection;
    const { place, env } = this.#options;
    if (connection?.database.isOpen !== true) return;
    connection.abandon();
    const { path } = this.#options.file;
    if (place === "memory") return;
    if (this.#timer !== undefined) {
      env.timers.clear(this.#timer);
      this.#syncInBackground(place);
    }
    await this.#background;
    this.#connection = undefined;
    this.#log?.close();
    this.#log = undefined;
    this.#pages = 0;
    this.#passedEnd = 0;
    const broken = this.#broken !== undefined;
    try {
      // The thread's connection closes last, so that the checkpoint is its work. It must be open before.
      const moved = broken ? undefined : await place.checkpoints.run(path, "passive");
      connection.database.close();
      // With nothing left in the log there is none to do: SQLite deletes the log as it is.
      const isDone = moved === undefined || moved.checkpointed === moved.frames;
      await place.checkpoints.run(path, isDone ? "forget" : "close");
    } catch (error) {
      env.log.warn("an actor's file was closed without its last checkpoint", { path, error });
      if (connection.database.isOpen) connection.database.close();
    }
  }

  #open(): OwnConnection {
    const { place, file } = this.#options;
    const { afterTurn } = this.#options.env;
    if (place === "memory") return openInMemory(file, afterTurn);
    const { spare, exists, isNew } = place.paths;
    this.#entry = isNew() ? "new" : "durable";
    const unused = this.#entry === "new" && !exists();
    const connection = unused ? createOwnFile(file, spare, afterTurn) : openOwnFile(file, afterTurn);
    try {
      // The log is there from the first look at the file on.
      connection.alarm();
      if (this.#entry === "durable") connection.checkStored();
      this.#log = new WalDescriptor(file.path);
    } catch (error) {
      connection.database.close();
      throw error;
    }
    return connection;
  }

  /** What a killed process left is made durable before anything is read, away from the runtime's thread. */
  async #closeForAnother(): Promise<void> {
    const { place, file } = this.#options;
    if (this.#connection !== undefined || place === "memory" || !hasLog(file.path)) return;
    try {
      await place.checkpoints.run(file.path, "close");
    } catch {
      // Whoever opens it says what is wrong.
    }
  }

  /** Nothing was ever written to it, and nobody was promised anything. */
  #isUnused(): boolean {
    const { place } = this.#options;
    if (this.#connection !== undefined) return false;
    return place === "memory" || lookAt(place.paths) === "unused";
  }

  async #makeDurable(): Promise<void> {
    const { place, env } = this.#options;
    if (this.#broken !== undefined) throw this.#broken;
    if (!this.#written) return;
    this.#written = false;
    const alarm = this.#alarm.tell();
    if (place !== "memory") {
      if (place.durability === "commit") await this.#syncNow(place);
      else {
        this.#timer ??= env.timers.set(() => this.#syncInBackground(place), SYNC_INTERVAL_MS, {
          background: true,
        });
      }
      if (this.#logIsLong()) await this.#checkpoint(place);
    }
    await alarm;
  }

  #syncInBackground(place: FilePlace): void {
    this.#timer = undefined;
    this.#background = this.#syncNow(place).catch(this.#options.onFatal);
  }

  async #syncNow(place: FilePlace): Promise<void> {
    const log = this.#log;
    if (log === undefined) return;
    const synced = place.syncThreads.sync({ kind: "log", fd: log.fd, end: log.end });
    if (this.#entry === "durable") return await synced;
    await Promise.all([synced, place.syncThreads.syncDirectory()]);
    this.#entry = "durable";
    forgetSpare(place.paths.spare);
  }

  /** From above: a change is a page, and what is more than that makes the log's file longer. */
  #logIsLong(): boolean {
    const grown = (this.#log?.end ?? 0) - this.#passedEnd;
    return Math.max(grown, this.#pages * PAGE_BYTES) > limits.ownLogBytes;
  }

  /** Moves the log into the file, while no batch can be written: SQLite starts it over. */
  async #checkpoint({ checkpoints }: OwnPlace): Promise<void> {
    const { env } = this.#options;
    const { path } = this.#options.file;
    this.#pages = 0;
    this.#passedEnd = this.#log?.end ?? 0;
    try {
      await checkpoints.run(path, "passive");
      await checkpoints.run(path, "forget");
    } catch (error) {
      env.log.warn("a checkpoint of an actor's file failed; its log grows until one succeeds", {
        path,
        error,
      });
    }
  }
}
