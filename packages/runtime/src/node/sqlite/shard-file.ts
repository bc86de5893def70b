/**
 * ShardFile: a shard's `CommitFile`: the transaction, the sync, and the checkpoints beside them.
 *
 * In mode `commit` a round is synced by the disk thread before it is told. In mode `interval` it is told at once and a
 * background sync follows each second: kill -9 loses nothing (the pages are the kernel's), a power cut one second. A
 * background sync that fails breaks the file at the next round, and at once tells `onFatal`.
 */
import type { Env, TimerHandle } from "@troupe/base";
import type { CommitFile, Write } from "../../storage/commit-file.ts";
import type { CheckpointThread } from "./checkpoint-thread.ts";
import { Checkpoints } from "./checkpoints.ts";
import { DiskThread } from "./disk-thread.ts";
import type { ShardTarget } from "./shard-target.ts";
import { ShardWriter } from "./shard-writer.ts";
import type { Database } from "./sqlite.ts";
import { WalDescriptor } from "./wal-descriptor.ts";

/** What a shard's file is made of. */
export interface ShardFileOptions {
  readonly env: Pick<Env, "afterTurn" | "timers" | "log">;
  readonly path: string;
  readonly database: Database;
  readonly durability: "commit" | "interval";
  readonly checkpointThread: CheckpointThread;
  /** See `Checkpoints`. */
  readonly checkpointBytes?: number | undefined;
  /** A background sync failed, or the log was found replaced. May be called more than once. */
  readonly onFatal: (cause: unknown) => void;
}

type Done = (error?: unknown) => void;

const SYNC_INTERVAL_MS = 1_000;

/** A shard as its committer sees it. */
export class ShardFile implements CommitFile<ShardTarget> {
  readonly #options: ShardFileOptions;
  readonly #writer: ShardWriter;
  readonly #descriptor: WalDescriptor;
  readonly #thread: DiskThread;
  readonly #checkpoints: Checkpoints;
  /** Why nothing can be made durable any more. */
  #broken: unknown;
  /** Mode `interval`: armed when something was written since the last background sync began. */
  #timer: TimerHandle | undefined;
  #background: Promise<void> | undefined;

  constructor(options: ShardFileOptions) {
    this.#options = options;
    this.#writer = new ShardWriter(options.database);
    this.#descriptor = new WalDescriptor(options.path);
    this.#thread = new DiskThread(options.env, "troupe-disk");
    this.#checkpoints = new Checkpoints({
      env: options.env,
      pass: () => options.checkpointThread.run(options.path, "passive"),
      passed: () => this.#verify(),
      ...(options.checkpointBytes === undefined ? {} : { limitBytes: options.checkpointBytes }),
    });
  }

  write(writes: readonly Write<ShardTarget>[]): void {
    if (this.#broken !== undefined) throw this.#broken;
    this.#checkpoints.wrote(this.#writer.write(writes));
  }

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
    const { env, path, database, checkpointThread } = this.#options;
    await this.#checkpoints.stop();
    if (this.#timer !== undefined) {
      env.timers.clear(this.#timer);
      this.#syncInBackground();
    }
    await this.#background;
    const broken = this.#broken !== undefined;
    await this.#thread.stop();
    this.#descriptor.close();
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
      this.#thread.sync(this.#descriptor.get(), (error) => {
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

  #verify(): void {
    try {
      this.#descriptor.verify();
    } catch (error) {
      this.#broken ??= error;
      this.#options.onFatal(error);
    }
  }
}
