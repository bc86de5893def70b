/**
 * giveUpLost: an actor whose own file is lost ends for good, because somebody says so.
 *
 * Nothing else ends one: a missing file may be on a disk that isn't mounted, and an actor made anew in its place would have its
 * address and none of its data. So it is done by hand, to a folder that no process has, of one actor by its id, and only where
 * nothing of the file is there. The directory's row is marked as of any actor that is destroyed; the next start sweeps it.
 */
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { backupErrors } from "../../../backup-errors.ts";
import { actorErrors } from "../../../errors.ts";
import { dataErrors } from "../data-errors.ts";
import { DataLock } from "../data-lock.ts";
import { fileError } from "../files.ts";
import { openShardDatabase } from "../layout.ts";
import { readShardCount } from "../manifest.ts";
import { ownPaths } from "../own/own-paths.ts";
import { OWN_FOLDER, shardName } from "../shard-name.ts";
import type { Database } from "../sqlite.ts";

/** An actor whose file is lost. */
export interface LostActor {
  readonly id: string;
  readonly name: string;
  readonly key: readonly string[];
  /** Wall clock, milliseconds. */
  readonly createdAt: number;
  /** The file that isn't there. */
  readonly path: string;
}

/** Which one. */
export interface GiveUpOptions {
  readonly dataDir: string;
  readonly id: string;
  /** Called with what is lost, before it is given up; what it rejects with keeps it. */
  readonly confirm: (lost: LostActor) => Promise<void>;
}

const ID = /^([0-9a-f]{2})[0-9a-f]{30}$/;
/** All that may hold something of it. */
const PARTS = ["", "-wal"];

/**
 * Gives one up; durable when it settles. Rejects with `actor.not_found`, `storage.not_lost` where something of the file is there or
 * the actor never had one, `storage.locked`, and what `confirm` rejects with.
 */
export async function giveUpLost({ dataDir: folder, id, confirm }: GiveUpOptions): Promise<LostActor> {
  const dataDir = resolve(folder);
  const count = readShardCount(dataDir);
  if (count === undefined) throw backupErrors.noData(dataDir);
  const place = Number.parseInt(ID.exec(id)?.[1] ?? "", 16);
  if (!(place < count)) throw actorErrors.notFound(id);
  using _lock = DataLock.hold(dataDir);
  const shard = join(dataDir, shardName(place));
  const database = openShardDatabase(shard, "known");
  try {
    const lost = lostActor(database, dataDir, id);
    await confirm(lost);
    // Somebody may have put it back while that was asked.
    checkLost(dataDir, id);
    database.exec("PRAGMA synchronous = FULL");
    database
      .prepare("UPDATE actors SET destroyed_at = ?, alarm = NULL WHERE id = ?")
      .run(Math.max(lost.createdAt, 1), id);
    return lost;
  } catch (cause) {
    throw fileError(shard, cause);
  } finally {
    database.close();
  }
}

function lostActor(database: Database, dataDir: string, id: string): LostActor {
  const row = database
    .prepare("SELECT name, key, created_at, own_file FROM actors WHERE id = ? AND destroyed_at IS NULL")
    .get(id);
  if (row === undefined) throw actorErrors.notFound(id);
  if (row["own_file"] === null) throw dataErrors.notLost(id, "it has no database, and so no file of its own");
  const path = checkLost(dataDir, id);
  const { name, key, created_at } = row;
  return { id, name: String(name), key: JSON.parse(String(key)), createdAt: Number(created_at), path };
}

/** The path of the file that isn't there. */
function checkLost(dataDir: string, id: string): string {
  const { path, spare } = ownPaths(join(dataDir, OWN_FOLDER), id);
  const there = [...PARTS.map((part) => path + part), spare].find((one) => existsSync(one));
  if (there !== undefined) throw dataErrors.notLost(id, `${there} is there`);
  return path;
}
