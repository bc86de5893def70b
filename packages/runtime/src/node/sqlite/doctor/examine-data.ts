/**
 * examineData: what is wrong with a data folder that no process has. Everything is read, and nothing is written; the folder is
 * locked meanwhile.
 */
import { existsSync, readdirSync, readFileSync, statfsSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { type Finding, fine, problem, TroupeError, warning } from "@troupe/base";
import { readList } from "../backup/backup-list.ts";
import { checkFile } from "../backup/check-file.ts";
import { DataLock } from "../data-lock.ts";
import { readShardCount } from "../manifest.ts";
import { OWN_FOLDER, SHARD_NAME, shardName } from "../shard-name.ts";
import { examineOwnFiles } from "./examine-own-files.ts";
import { type ExaminedShard, examineShard } from "./examine-shard.ts";

const MIB = 1024 * 1024;
/** Less is a matter of hours. */
const LITTLE_ROOM = 1024 * MIB;
/** A log and what a sync needs. */
const NO_ROOM = 64 * MIB;
/** So much is left by a server that was killed under load; more says that checkpoints fail. */
const LONG_LOGS = 512 * MIB;
/** Of an actor with a database that is awake: the file, its log and shared memory, and the descriptor that syncs. */
const DESCRIPTORS_AN_ACTOR = 4;
const FEW_DESCRIPTORS = 4_096;

/** Each thing that was looked at. Never throws for what is wrong with the folder. */
export async function examineData(folder: string): Promise<readonly Finding[]> {
  const dataDir = resolve(folder);
  const count = manifest(dataDir);
  if (typeof count !== "number") return [count];
  const known = fine("manifest", `layout known, ${count} ${count === 1 ? "shard" : "shards"}`);
  if (DataLock.isHeld(dataDir)) {
    const mend = "stop it, or look at a backup of it: troupe backup, then troupe doctor on that";
    return [
      known,
      warning("lock", `in use by ${DataLock.owner(dataDir)}: its files were not read`, mend),
      ...around(dataDir),
    ];
  }
  using _lock = DataLock.hold(dataDir);
  const shards: ExaminedShard[] = [];
  for (let place = 0; place < count; place += 1)
    shards.push(examineShard(join(dataDir, shardName(place)), shardName(place)));
  return [
    known,
    fine("lock", "no process has the folder"),
    ...(await backup(dataDir)),
    ...shards.flatMap(({ findings }) => findings),
    ...strangers(dataDir, count),
    ...examineOwnFiles(dataDir, shards),
    ...around(dataDir),
  ];
}

function manifest(dataDir: string): number | Finding {
  try {
    const count = readShardCount(dataDir);
    if (count !== undefined) return count;
    return problem("manifest", `${dataDir} has no manifest.json`, "name a data folder, or restore a backup");
  } catch (error) {
    if (!TroupeError.is(error)) throw error;
    const newer = error.code === "newer_layout";
    return problem(
      "manifest",
      error.message,
      newer ? "use that version" : "restore a backup (troupe restore)",
    );
  }
}

/** A backup says of itself what it consists of. */
async function backup(dataDir: string): Promise<readonly Finding[]> {
  if (!existsSync(join(dataDir, "backup.json"))) return [];
  try {
    const { files, endedAt } = readList(dataDir);
    for (const file of files) await checkFile(file, { folder: dataDir });
    return [fine("backup", `of ${endedAt}: ${files.length} files, each as it was backed up`)];
  } catch (error) {
    if (!TroupeError.is(error)) throw error;
    return [problem("backup", error.message, "use another backup")];
  }
}

function strangers(dataDir: string, count: number): readonly Finding[] {
  const ours = new Set(Array.from({ length: count }, (_, place) => shardName(place)));
  const others = readdirSync(dataDir).filter((name) => SHARD_NAME.test(name) && !ours.has(name));
  return others.map((name) =>
    warning(
      name,
      `the manifest knows ${count} shards, and not this one`,
      "the folder was put together of two",
    ),
  );
}

function around(dataDir: string): readonly Finding[] {
  return [logs(dataDir), room(dataDir), descriptors(dataDir)];
}

function logs(dataDir: string): Finding {
  let bytes = 0;
  for (const folder of [dataDir, join(dataDir, OWN_FOLDER)]) {
    if (!existsSync(folder)) continue;
    for (const name of readdirSync(folder))
      if (name.endsWith("-wal")) bytes += statSync(join(folder, name), { throwIfNoEntry: false })?.size ?? 0;
  }
  const message = `${inMib(bytes)} that a start has to move into the files`;
  if (bytes <= LONG_LOGS) return fine("logs", message);
  return warning(
    "logs",
    message,
    "the server's log says why checkpoints failed: most likely a long reader, or a full disk",
  );
}

function room(dataDir: string): Finding {
  const { bavail, bsize } = statfsSync(dataDir);
  const free = bavail * bsize;
  const message = `${inMib(free)} free`;
  if (free < NO_ROOM) return problem("room", message, "make room: writes fail, or are about to");
  return free < LITTLE_ROOM
    ? warning("room", message, "make room before it is used up")
    : fine("room", message);
}

function descriptors(dataDir: string): Finding {
  const most = mostDescriptors();
  if (most === undefined) return fine("descriptors", "not known on this system");
  const folder = join(dataDir, OWN_FOLDER);
  const files = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith(".db")).length : 0;
  const message = `${most} for a process of this user; each awake actor with a database takes ${DESCRIPTORS_AN_ACTOR}, and there are ${files}`;
  if (most >= Math.min(FEW_DESCRIPTORS, files * DESCRIPTORS_AN_ACTOR + 256))
    return fine("descriptors", message);
  return warning(
    "descriptors",
    message,
    "raise the limit (ulimit -n, LimitNOFILE=), or set maxAwakeActors lower",
  );
}

/** Node raises its own to the hard limit. */
function mostDescriptors(): number | undefined {
  try {
    const [, hard] = /^Max open files\s+\S+\s+(\S+)/m.exec(readFileSync("/proc/self/limits", "utf8")) ?? [];
    return hard === undefined || hard === "unlimited" ? undefined : Number(hard);
  } catch {
    return undefined;
  }
}

function inMib(bytes: number): string {
  return `${(bytes / MIB).toFixed(1)} MiB`;
}
