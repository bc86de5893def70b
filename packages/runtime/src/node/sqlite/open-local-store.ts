/**
 * openLocalStore: the data directory of one process.
 *
 *   manifest.json   layout version, shard count, epoch          owner.json   who holds the lock, for people
 *   ballast         room that is given up on a full disk
 *   lock.db         held exclusively while the process lives    shard-00.db … with their -wal and -shm
 *   actors/         one file for each actor with a database       catalogue.json   namespaces, and what remote hosts brought
 *
 * The order at a start: directory, lock, manifest, shards (each one's log of before made durable), epoch. Only then is
 * anything answered. A shard that is damaged is set aside and named in the log; all the others start.
 *
 * SHARD COUNT. Measured with 256 writers of one 120 B row each, on two cores and a disk of 0.11 ms a sync, one disk
 * thread per shard (batches a second, p99): 1,000 actors: 1 shard 139 k, 5 ms; 2 shards 136 k, 5 ms; 4 shards 72 k,
 * 17 ms. 10,000 actors: 1 shard 62 k, 13 ms; 2 shards 50 k, 50 ms. CPU per batch 6.8, 8.8 and 11.6 us. Syncs of several
 * files queue at the same disk, and each shard halves the groups: hence one by default. More make a damaged file's
 * reach smaller, which is what `shards` is for.
 */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { type Env, TroupeError } from "@troupe/base";
import { limits } from "@troupe/protocol";
import { storageErrors } from "../../errors.ts";
import type { BackupOptions, BackupSummary } from "../../ports/backup.ts";
import { type CatalogueFile, memoryCatalogue } from "../../ports/catalogue-file.ts";
import type { Directory } from "../../ports/directory.ts";
import { openMemoryStore } from "../../ports/memory/open-memory-store.ts";
import type { ActorStorage } from "../../ports/storage.ts";
import { CommitFigures } from "../../storage/commit-figures.ts";
import type { OwnStores } from "../../storage/own-stores.ts";
import { catalogueFile } from "../catalogue-file.ts";
import { descriptorLimit, mostDatabases } from "../descriptors.ts";
import { LiveBackup } from "./backup/live-backup.ts";
import { Ballast } from "./ballast.ts";
import { CheckpointThread } from "./checkpoint-thread.ts";
import { dataErrors, forCallers } from "./data-errors.ts";
import { DataHealth } from "./data-health.ts";
import { DataLock } from "./data-lock.ts";
import { directoryError, fileError, makeDirectory, syncDirectory } from "./files.ts";
import type { KnownFile } from "./known-file.ts";
import { openShardDatabase } from "./layout.ts";
import { GenerationCounter, readShardCount } from "./manifest.ts";
import { type OpenedOwnFiles, openOwnFiles, ownInMemory } from "./own/open-own-files.ts";
import { Shard } from "./shard.ts";
import { SHARD_NAME, shardName } from "./shard-name.ts";
import { type ShardSlot, Shards } from "./shards.ts";
import { missingFeatures } from "./sqlite.ts";
import { SqliteDirectory } from "./sqlite-directory.ts";
import { SqliteStorage } from "./sqlite-storage.ts";

/**
 * `commit`: told when synced. `interval`: told when written, synced every second; kill -9 loses nothing, a power cut
 * one second. `memory`: nothing is written.
 */
export type Durability = "commit" | "interval" | "memory";

/** What `openLocalStore` takes. */
export interface LocalStoreOptions {
  readonly env: Env;
  readonly dataDir: string;
  /** Default: `commit`. */
  readonly durability?: Durability;
  /** A sync failed: nobody knows what the disk holds, and the process must end. Called once. */
  readonly onFatal: (cause: unknown) => void;
  /** Shards of a new directory, 1 to 256; an existing one keeps its own. */
  readonly shards?: number;
  /** How long a start waits for another process to leave the directory, ms. Default: 10,000. */
  readonly lockWaitMs?: number;
  /** Log size at which a shard is checkpointed, bytes. Default: 64 MiB. */
  readonly checkpointBytes?: number;
  /** The most processes for the SQL of actors whose code isn't trusted. Default: 8. */
  readonly sqlHelpers?: number;
}

/** A directory and a storage that belong together. */
export interface LocalStore {
  readonly directory: Directory;
  readonly storage: ActorStorage;
  readonly durability: Durability;
  readonly catalogue: CatalogueFile;
  /** Actors with a database that may be awake at once, for the descriptors that they take; undefined where nothing limits them. */
  readonly mostDatabases?: number | undefined;
  /** Copies the store while it is in use; absent where it is in memory. */
  backup?(to: string, options?: BackupOptions): Promise<BackupSummary>;
  /** The `group.code` of what was found wrong, a damaged file, a failed disk or one that is full; undefined while all is well. */
  failure(): string | undefined;
  /** Settles what was taken, syncs, and gives the directory back. Twice is once. */
  close(): Promise<void>;
}

const DEFAULT_SHARDS = 1;
const DEFAULT_LOCK_WAIT_MS = 10_000;

/**
 * Opens or makes the data directory. Throws `storage.locked`, `storage.newer_layout`, `storage.read_only`,
 * `storage.not_a_directory`, `storage.disk_full`, `storage.corrupt` (of the manifest; a damaged shard only fails its own actors),
 * `storage.unsupported_platform`.
 */
export async function openLocalStore(options: LocalStoreOptions): Promise<LocalStore> {
  if (options.durability === "memory") return memoryStore(options);
  const [missing] = missingFeatures();
  if (missing !== undefined) throw dataErrors.unsupported(missing);
  const { env, dataDir } = options;
  try {
    makeDirectory(dataDir);
  } catch (error) {
    throw directoryError(dataDir, error);
  }
  const lock = await DataLock.acquire({ env, dataDir, waitMs: options.lockWaitMs ?? DEFAULT_LOCK_WAIT_MS });
  try {
    return await openShards(options, lock);
  } catch (error) {
    lock.release();
    throw fileError(dataDir, error);
  }
}

function memoryStore({ env, onFatal }: LocalStoreOptions): LocalStore {
  const { directory, storage } = openMemoryStore({ env, onFatal, own: ownInMemory(env) });
  return {
    ...{ directory, storage, durability: "memory", catalogue: memoryCatalogue() },
    failure: () => undefined,
    close: () => storage.close(),
  };
}

async function openShards(options: LocalStoreOptions, lock: DataLock): Promise<LocalStore> {
  const { env, dataDir } = options;
  const known = readShardCount(dataDir);
  if (known === undefined) refuseOrphans(dataDir);
  const count = known ?? options.shards ?? DEFAULT_SHARDS;
  const health = new DataHealth(env, dataDir);
  const onFatal = once((cause) => {
    health.broken(cause);
    options.onFatal(cause);
  });
  const checkpointThread = new CheckpointThread();
  const slots: ShardSlot[] = [];
  const shards = new Shards(slots);
  const figures = new CommitFigures(env.clock);
  const ballast = new Ballast(dataDir);
  // What is opened may need its room.
  ballast.drop();
  const durability = fileDurability(options);
  const shared = { env, dataDir, shards, health, figures, onFatal };
  const own = openOwnFiles({ ...shared, durability, helpers: options.sqlHelpers });
  const context = {
    options,
    health,
    figures,
    checkpointThread,
    own: own.files,
    lock: lock.file,
    ballast,
    age: known === undefined ? ("new" as const) : ("known" as const),
    onFatal,
  };
  const backup = new LiveBackup({ env, dataDir, aside: own.aside });
  let closing: Promise<void> | undefined;
  const close = () => {
    closing ??= closeAll({ shards, own, checkpointThread, lock, backup });
    return closing;
  };
  try {
    for (let place = 0; place < count; place += 1)
      slots.push(openShard(join(dataDir, shardName(place)), context));
    syncDirectory(dataDir);
    await own.recover();
    const generations = new GenerationCounter(dataDir, count);
    ballast.load();
    return {
      directory: new SqliteDirectory({
        env,
        shards,
        spares: own.spares,
        nextGeneration: () => generations.next(),
      }),
      storage: new SqliteStorage({
        ...{ shards, own: own.files, oldestGeneration: generations.next(), commits: figures, close },
      }),
      durability: options.durability ?? "commit",
      catalogue: catalogueFile(dataDir),
      mostDatabases: databasesAwake(env),
      backup: backup.make,
      failure: () => health.failure,
      close,
    };
  } catch (error) {
    close().catch((second: unknown) =>
      env.log.error("closing after a failed start failed", { error: second }),
    );
    throw error;
  }
}

interface ShardContext {
  readonly options: LocalStoreOptions;
  readonly health: DataHealth;
  readonly figures: CommitFigures;
  readonly checkpointThread: CheckpointThread;
  readonly own: OwnStores;
  readonly lock: KnownFile;
  readonly ballast: Ballast;
  readonly age: "new" | "known";
  readonly onFatal: (cause: unknown) => void;
}

function openShard(path: string, context: ShardContext): ShardSlot {
  const { options, ...rest } = context;
  const { env, checkpointBytes } = options;
  try {
    return { shard: new Shard({ ...rest, env, path, durability: fileDurability(options), checkpointBytes }) };
  } catch (error) {
    // Damage stays in its shard. Anything else (a full disk, a newer layout) is the directory's and stops the start.
    if (!TroupeError.is(error) || error.code !== "corrupt") throw error;
    context.health.found(error);
    env.log.error("a shard is damaged and was set aside; its actors can't be called", { path, error });
    return { error: forCallers(error) };
  }
}

function databasesAwake(env: Env): number | undefined {
  const descriptors = descriptorLimit();
  if (descriptors === undefined) return undefined;
  const most = mostDatabases(descriptors);
  if (descriptors < limits.fewDescriptors) {
    const fields = { "ulimit -n": descriptors, awakeActorsWithDatabase: most };
    env.log.warn("this process may have few files and sockets open: raise `ulimit -n`", fields);
  }
  return most;
}

function fileDurability({ durability }: LocalStoreOptions): "commit" | "interval" {
  return durability === "interval" ? "interval" : "commit";
}

/**
 * Shards without a manifest: their count is unknown, and with a wrong one every actor would be looked for elsewhere.
 * Empty ones are what a first start leaves that was killed before it wrote the manifest.
 */
function refuseOrphans(dataDir: string): void {
  for (const name of readdirSync(dataDir)) {
    if (!SHARD_NAME.test(name)) continue;
    const database = openShardDatabase(join(dataDir, name), "new");
    const actor = database.prepare("SELECT number FROM actors LIMIT 1").get();
    database.close();
    if (actor === undefined) continue;
    throw storageErrors.corrupt(join(dataDir, "manifest.json"), `it is missing, but ${name} holds actors`);
  }
}

function once(call: (cause: unknown) => void): (cause: unknown) => void {
  let called = false;
  return (cause) => {
    if (called) return;
    called = true;
    call(cause);
  };
}

interface Parts {
  readonly shards: Shards;
  readonly own: OpenedOwnFiles;
  readonly checkpointThread: CheckpointThread;
  readonly lock: DataLock;
  readonly backup: LiveBackup;
}

/** The actors' own files first: their last alarms go into the shards. */
async function closeAll({ shards, own, checkpointThread, lock, backup }: Parts): Promise<void> {
  try {
    await backup.close();
    await own.close();
    await shards.close();
    await checkpointThread.stop();
  } finally {
    lock.release();
  }
}
