/** How the actors' own files are tied to a data directory, and to a store in memory. */
import { join } from "node:path";
import type { Env } from "@troupe/base";
import { actorErrors } from "../../../errors.ts";
import type { CommitFigures } from "../../../storage/commit-figures.ts";
import type { OwnStores } from "../../../storage/own-stores.ts";
import { writesWarnings } from "../../log.ts";
import type { CopyAside } from "../backup/data-backup.ts";
import type { DataHealth } from "../data-health.ts";
import { makeDirectory } from "../files.ts";
import { mintDigits, type Shards } from "../shards.ts";
import { spawnHelper } from "../sql-process/helper-child.ts";
import { HelperPool } from "../sql-process/helper-pool.ts";
import { CheckpointThreads } from "./checkpoint-threads.ts";
import { makeTemplate } from "./own-database-file.ts";
import { OwnDirectory, type OwnDiskOptions, OwnMemory } from "./own-directory.ts";
import { OwnFiles } from "./own-files.ts";
import { SpareFiles } from "./spare-files.ts";
import { StatementWatch } from "./statement-watch.ts";
import { SyncThreads } from "./sync-threads.ts";

const STDERR = 2;

/** What they are tied to. */
export interface OwnFilesOptions {
  readonly env: OwnDiskOptions["env"] & Pick<Env, "ids">;
  readonly dataDir: string;
  readonly durability: "commit" | "interval";
  /** Default: `limits.sqlHelpers`. */
  readonly helpers?: number | undefined;
  /** They may be opened later. */
  readonly shards: Shards;
  readonly health: DataHealth;
  readonly figures: CommitFigures;
  readonly onFatal: (cause: unknown) => void;
}

/** The files, and their part of a start and an end. */
export interface OpenedOwnFiles {
  readonly files: OwnStores;
  /** What the files of new actors are made of. */
  readonly spares: Pick<SpareFiles, "take" | "giveBack">;
  /** Runs a copy of one of them. */
  readonly aside: CopyAside;
  /** When the shards are open: looks into the files that a killed process left. */
  recover(): Promise<void>;
  /** Before the shards are closed. */
  close(): Promise<void>;
}

/** The files of a data directory. */
export function openOwnFiles(options: OwnFilesOptions): OpenedOwnFiles {
  const { env, dataDir, durability, shards, health, figures, onFatal } = options;
  const directory = join(dataDir, "actors");
  makeDirectory(directory);
  const syncThreads = new SyncThreads(directory, onFatal);
  const watch = new StatementWatch({ log: env.log, fd: writesWarnings(env.log) ? STDERR : undefined });
  const helpers = new HelperPool({ env, start: spawnHelper, most: options.helpers });
  const mint = (): string => mintDigits(env.ids.ordered());
  const spares = new SpareFiles({
    directory,
    makeTemplate: () => makeTemplate(join(directory, "template.db")),
    threads: syncThreads,
    mint,
    health,
  });
  const checkpoints = new CheckpointThreads();
  const place = { directory, durability, syncThreads, checkpoints, helpers };
  const disk = new OwnDirectory(place, {
    env,
    health,
    watch,
    setAlarm: async (actorId, at) => await setAlarm(shards, actorId, at),
    onFatal,
  });
  const files = new OwnFiles({ env, disk, figures, onFatal });
  return {
    files,
    spares,
    aside: (actorId, copy) => files.aside(actorId, copy),
    recover: () => disk.recover(shards),
    close: async () => {
      await files.close();
      await checkpoints.stop();
      await helpers.close();
      spares.close();
      await watch.stop();
      await syncThreads.stop();
    },
  };
}

async function setAlarm(shards: Shards, actorId: string, at: number | null): Promise<void> {
  const shard = shards.ofId(actorId);
  if (shard === undefined) throw actorErrors.notFound(actorId);
  const created = shard.unsettledById.get(actorId)?.created;
  const number = created?.number ?? shard.reader.number(actorId);
  // Destroyed meanwhile: it has no alarm any more.
  if (number === undefined) return;
  await shard.setAlarm(created ?? { number, id: actorId, failure: undefined }, at);
}

/** Databases in memory, for a store that is in memory as a whole. */
export function ownInMemory(
  env: OwnDiskOptions["env"],
): (setAlarm: (actorId: string, at: number | null) => void) => OwnStores {
  return (setAlarm) => {
    const onFatal = (cause: unknown): void => env.log.error("a database in memory failed", { cause });
    const disk = new OwnMemory({
      env,
      health: { found: () => {}, missing: () => {} },
      watch: new StatementWatch({ log: env.log, fd: undefined }),
      setAlarm: async (actorId, at) => setAlarm(actorId, at),
      onFatal,
    });
    return new OwnFiles({ env, disk, onFatal });
  };
}
