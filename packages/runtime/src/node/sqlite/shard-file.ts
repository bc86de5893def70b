/**
 * ShardFile: a shard's `CommitFile`: the transaction, the sync, and the checkpoints beside them.
 *
 * In mode `commit` a round is synced by the disk thread before it is told. In mode `interval` it is told at once and a
 * background sync follows each second: kill -9 loses nothing (the pages are the kernel's), a power cut one second. A
 * background sync that fails breaks the file at the next round, and at once tells `onFatal`.
 *
 * Whether the files are still this process's (`known-file.ts`) is looked at by the disk thread after each sync: nothing is
 * acknowledged that no later start would find. Here, before each transaction, only the lock and the log's length are:
 * once another process has the directory, nothing is written over what it wrote, and nothing is written behind a hole.
 */
import type { Env, TimerHandle } from "@troupe/base";
import type { CommitFile, Write } from "../../storage/commit-file.ts";
import type { Ballast } from "./ballast.ts";
import type { CheckpointThread } from "./checkpoint-thread.ts";
import { Checkpoints } from "./checkpoints.ts";
import type { DataFile } from "./data-file.ts";
import type { DataHealth } from "./data-health.ts";
import { DiskThread } from "./disk-thread.ts";
import { emptyLog } from "./empty-log.ts";
import { isFullDisk } from "./files.ts";
import { displacedError, isDisplaced, type KnownFile, knownFile } from "./known-file.ts";
import { LogRoom, overwritesInPlace } from "./log-room.ts";
import type { ShardTarget } from "./shard-target.ts";
import { ShardWriter } from "./shard-writer.ts";
import type { Database } from "./sqlite.ts";
import { WalDescriptor } from "./wal-descriptor.ts";

/** What a shard's file is made of. */
export interface ShardFileOptions {
  readonly env: Pick<Env, "afterTurn" | "timers" | "log">;
  readonly file: DataFile;
  readonly database: Database;
  /** The data directory's lock. */
  readonly lock: KnownFile;
  readonly ballast: Ballast;
  readonly health: DataHealth;
  readonly durability: "commit" | "interval";
  readonly checkpointThread: CheckpointThread;
  /** See `Checkpoints`. */
  readonly checkpointBytes?: number | undefined;
  /** A background sync failed, or the files were found displaced. May be called more than once. */
  readonly onFatal: (cause: unknown) => void;
}

type Done = (error?: unknown) => void;

const SYNC_INTERVAL_MS = 1_000;

/** A shard as its committer sees it. */
export class ShardFile implements CommitFile<ShardTarget> {
  readonly #options: ShardFileOptions;
  readonly #writer: ShardWriter;
  readonly #log: WalDescriptor;
  /** Undefined where nobody waits for a sync, or a sync gains nothing by it. */
  readonly #room: LogRoom | undefined;
  readonly #files: readonly KnownFile[];
  readonly #thread: DiskThread;
  readonly #checkpoints: Checkpoints;
  /** Why nothing can be made durable any more. */
  #broken: unknown;
  /** Mode `interval`: armed when something was written since the last background sync began. */
  #timer: TimerHandle | undefined;
  #background: Promise<void> | undefined;
  /** Syncs that are on their way. */
  #syncing = 0;
  /** The disk is full, and the log was emptied, or couldn't be, since the last write that went well. */
  #triedToEmpty = false;

  constructor(options: ShardFileOptions) {
    this.#options = options;
    this.#writer = new ShardWriter(options.database);
    this.#log = new WalDescriptor(options.file.path);
    if (options.durability === "commit" && overwritesInPlace(options.file.path))
      this.#room = new LogRoom(this.#log);
    this.#files = [options.lock, knownFile(options.file.path), this.#log.file];
    this.#thread = new DiskThread({ env: options.env, log: this.#log, files: this.#files });
    this.#checkpoints = new Checkpoints({
      env: options.env,
      pass: async () => {
        // What a cut log still holds would be moved into a database that is whole.
        this.#verify(this.#files);
        return options.checkpointThread.run(options.file.path, "passive");
      },
      passed: () => this.#verify(this.#files),
      ...(options.checkpointBytes === undefined ? {} : { limitBytes: options.checkpointBytes }),
    });
  }

  write(writes: readonly Write<ShardTarget>[]): void {
    this.#verify([this.#options.lock]);
    if (this.#options.durability === "commit") this.#thread.soon();
    const bytes = this.#transact(writes);
    this.#log.wrote();
    this.#checkpoints.wrote(bytes);
  }

  /** Returns about how many bytes went into the log. When it throws, nothing was written. */
  #transact(writes: readonly Write<ShardTarget>[]): number {
    try {
      return this.#tryTwice(writes);
    } catch (error) {
      throw this.#options.file.ofWrite(error);
    }
  }

  /** Once more on a full disk, when the log's room was had back. */
  #tryTwice(writes: readonly Write<ShardTarget>[]): number {
    try {
      const bytes = this.#writer.write(writes, this.#makeRoom);
      this.#triedToEmpty = false;
      return bytes;
    } catch (error) {
      if (!isFullDisk(this.#options.file.path, error) || !this.#emptyLog()) throw error;
      return this.#writer.write(writes, this.#makeRoom);
    }
  }

  /** Takes as long as the log is long, and everybody waits: all that comes fails otherwise. */
  #emptyLog(): boolean {
    const { database, ballast, health, file } = this.#options;
    if (this.#triedToEmpty || this.#syncing > 0 || this.#checkpoints.passing) return false;
    this.#triedToEmpty = true;
    if (!emptyLog(database, ballast)) return false;
    this.#log.emptied();
    this.#room?.emptied();
    this.#checkpoints.emptied();
    health.emptied(file.path);
    return true;
  }

  readonly #makeRoom = (bytes: number): void => this.#room?.make(bytes);

  sync(done: Done): void {
    const finish = this.#checkpoints.behind ? this.#afterCatchUp(done) : done;
    if (this.#options.durability === "commit") {
      this.#syncLog(finish);
      return;
    }
    this.#timer ??= this.#options.env.timers.set(this.#syncInBackground, SYNC_INTERVAL_MS, {
      background: true,
    });
    this.#options.env.afterTurn(() => finish(this.#broken));
  }

  /** Gives everything back. After a failed sync the files are left as they are, for the next start to look at. */
  async close(): Promise<void> {
    const { env, database, checkpointThread } = this.#options;
    const { path } = this.#options.file;
    await this.#checkpoints.stop();
    if (this.#timer !== undefined) {
      env.timers.clear(this.#timer);
      this.#syncInBackground();
    }
    await this.#background;
    // The checkpoint thread would open what the path names now.
    const displaced = this.#files.find(isDisplaced);
    if (displaced !== undefined)
      env.log.error("a shard was closed without its files", { path: displaced.path });
    const broken = this.#broken !== undefined || displaced !== undefined;
    await this.#thread.stop();
    this.#log.close();
    try {
      // The thread's connection closes last, so that the last checkpoint is its work. It must be open before.
      if (!broken) await checkpointThread.run(path, "passive");
      database.close();
      await checkpointThread.run(path, broken ? "forget" : "close");
    } catch (error) {
      env.log.warn("a shard was closed without its last checkpoint; the next start will do it", {
        path,
        error,
      });
      if (database.isOpen) database.close();
    }
  }

  #syncLog(done: Done): void {
    try {
      if (this.#broken !== undefined) throw this.#broken;
      this.#syncing += 1;
      this.#thread.sync((error) => {
        this.#syncing -= 1;
        this.#broken ??= error;
        done(this.#broken);
      });
    } catch (error) {
      this.#broken ??= error;
      this.#options.env.afterTurn(() => done(this.#broken));
    }
  }

  /** Makes `done` wait for a checkpoint of what is left, which runs beside the sync. */
  #afterCatchUp(done: Done): Done {
    let result: { readonly error: unknown } | undefined;
    let caughtUp = false;
    const caught = () => {
      caughtUp = true;
      if (result !== undefined) this.#options.env.afterTurn(() => done(this.#broken ?? result?.error));
    };
    this.#checkpoints.catchUp().then(caught, caught);
    return (error) => {
      if (caughtUp) done(this.#broken ?? error);
      else result = { error };
    };
  }

  readonly #syncInBackground = (): void => {
    this.#timer = undefined;
    // A disk slower than the interval: this sync begins when the one before has ended.
    this.#background = (this.#background ?? Promise.resolve()).then(
      () =>
        new Promise((resolve) => {
          this.#syncLog((error) => {
            if (error !== undefined) this.#options.onFatal(error);
            resolve();
          });
        }),
    );
  };

  /** Throws, from the first time on for good, when the files aren't what they were. */
  #verify(files: readonly KnownFile[]): void {
    if (this.#broken === undefined) {
      try {
        for (const file of files) if (isDisplaced(file)) throw displacedError(file);
        this.#log.verify();
      } catch (error) {
        this.#broken = error;
        // After those are told whose round is on its way.
        this.#options.env.afterTurn(() => this.#options.onFatal(error));
      }
    }
    if (this.#broken !== undefined) throw this.#broken;
  }
}
