/**
 * salvageData: a new data folder of what can be read of a damaged one, which stays as it is. Files that are as they were
 * written are copied; of a damaged shard every row that can be read; an actor's own file that is damaged is taken as it is, so
 * that its calls go on to fail. What was lost is said, and stands in `salvage.json` of the new folder.
 */
import { copyFileSync, existsSync, mkdirSync, readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Env } from "@troupe/base";
import { backupErrors } from "../../../backup-errors.ts";
import { copyDatabase } from "../backup/copy-database.ts";
import { WholeFolder } from "../backup/whole-folder.ts";
import { DataLock } from "../data-lock.ts";
import { fileError, replaceFile, syncDirectory } from "../files.ts";
import { readShardCount } from "../manifest.ts";
import { OWN_FOLDER, OWN_NAME, shardName } from "../shard-name.ts";
import { damage } from "./examine-own-files.ts";
import { examineShard } from "./examine-shard.ts";
import { type SalvagedShard, salvageShard } from "./salvage-shard.ts";

/** What is salvaged, and where to. */
export interface DataSalvage {
  readonly env: Pick<Env, "clock" | "timers" | "log">;
  readonly dataDir: string;
  /** Isn't there. */
  readonly to: string;
}

/** What became of the folder. */
export interface SalvagedData {
  readonly path: string;
  /** Shards that were damaged. */
  readonly shards: readonly SalvagedShard[];
  /** Actors' own files that are damaged, with what is wrong. */
  readonly files: Readonly<Record<string, string>>;
}

/** Rejects with `backup.*`, `storage.*`; then nothing is made. */
export async function salvageData({ env, dataDir: folder, to }: DataSalvage): Promise<SalvagedData> {
  const dataDir = resolve(folder);
  const count = readShardCount(dataDir);
  if (count === undefined) throw backupErrors.noData(dataDir);
  if (existsSync(to)) throw backupErrors.targetExists(to);
  using _lock = DataLock.hold(dataDir);
  await using made = await WholeFolder.make(to, env);
  try {
    const shards: SalvagedShard[] = [];
    for (let place = 0; place < count; place += 1) {
      const salvaged = await shard(shardName(place), dataDir, made.path);
      if (salvaged !== undefined) shards.push(salvaged);
    }
    const result = { path: resolve(to), shards, files: await ownFiles(dataDir, made.path) };
    for (const name of ["manifest.json", "catalogue.json"])
      if (existsSync(join(dataDir, name))) copyFileSync(join(dataDir, name), join(made.path, name));
    replaceFile(join(made.path, "salvage.json"), `${JSON.stringify(result, null, 2)}\n`);
    made.finish();
    return result;
  } catch (error) {
    throw fileError(dataDir, error);
  }
}

async function shard(name: string, dataDir: string, to: string): Promise<SalvagedShard | undefined> {
  const from = join(dataDir, name);
  if (!existsSync(from)) throw backupErrors.damaged(from, "it is missing");
  if (examineShard(from, name).findings.some(({ level }) => level === "problem"))
    return salvageShard(name, from, join(to, name));
  await copyDatabase({ from, to: join(to, name), holds: "shard", step: () => {} });
  return undefined;
}

async function ownFiles(dataDir: string, to: string): Promise<Readonly<Record<string, string>>> {
  const [from, target] = [join(dataDir, OWN_FOLDER), join(to, OWN_FOLDER)];
  mkdirSync(target);
  const files: Record<string, string> = {};
  for (const name of existsSync(from) ? readdirSync(from) : []) {
    if (!OWN_NAME.test(name)) continue;
    const wrong = damage(join(from, name));
    if (wrong === undefined) {
      await copyDatabase({ from: join(from, name), to: join(target, name), holds: "actor", step: () => {} });
      continue;
    }
    files[name] = wrong;
    for (const part of ["", "-wal"])
      if (existsSync(join(from, name + part)))
        copyFileSync(join(from, name + part), join(target, name + part));
  }
  syncDirectory(target);
  return files;
}
