/** What is wrong with one shard: the file, the check value of each row, and who its rows belong to. */
import { existsSync } from "node:fs";
import { type Finding, fine, problem } from "@troupe/base";
import { fileError } from "../files.ts";
import { LAYOUT_VERSION } from "../manifest.ts";
import { rowCrc } from "../shard-writer.ts";
import type { Database } from "../sqlite.ts";
import { LookedAt } from "./looked-at.ts";

/** What to do about a file that can't be read, or holds what wasn't written. */
export const RESTORE_OR_SALVAGE =
  "restore a backup (troupe restore), or save what can be read: troupe doctor DATA --salvage FOLDER (docs/backup.md)";

/** How many pieces of damage are named. */
const MOST_NAMED = 10;

/** A shard, and what is said of it. */
export interface ExaminedShard {
  readonly findings: readonly Finding[];
  /** The actors that live in it; undefined when that can't be read. */
  readonly actors: ReadonlyMap<string, { readonly hasFile: boolean }> | undefined;
}

/** Reads all of it. */
export function examineShard(path: string, name: string): ExaminedShard {
  if (!existsSync(path))
    return { findings: [problem(name, "it is missing", RESTORE_OR_SALVAGE)], actors: undefined };
  try {
    using look = new LookedAt(path);
    const { database } = look;
    const version = Number(database.prepare("PRAGMA user_version").get()?.["user_version"]);
    if (version > LAYOUT_VERSION)
      return {
        findings: [problem(name, `layout ${version}`, "use the newer Troupe that wrote it")],
        actors: undefined,
      };
    const wrong = [...integrity(database), ...tornRows(database), ...orphans(database)];
    const actors = actorsOf(database);
    const findings =
      wrong.length === 0
        ? [fine(name, `${actors.size} actors, every row as it was written`)]
        : wrong.map((what) => problem(name, what, RESTORE_OR_SALVAGE));
    return { findings, actors };
  } catch (cause) {
    const { message } = fileError(path, cause);
    return { findings: [problem(name, message, RESTORE_OR_SALVAGE)], actors: undefined };
  }
}

/** What SQLite finds wrong. */
export function integrity(database: Database): string[] {
  const found = database.prepare(`PRAGMA integrity_check(${MOST_NAMED})`).all();
  return found.map((row) => String(row["integrity_check"])).filter((text) => text !== "ok");
}

function tornRows(database: Database): string[] {
  const torn: string[] = [];
  let count = 0;
  const rows = database.prepare(
    "SELECT rows.actor, rows.key, rows.value, rows.crc, actors.name, actors.key AS actor_key, actors.id FROM rows LEFT JOIN actors ON actors.number = rows.actor",
  );
  for (const row of rows.iterate()) {
    const { actor, key, value, crc, name, actor_key, id } = row;
    if (value instanceof Uint8Array && rowCrc(Number(actor), value) === crc) continue;
    count += 1;
    if (count <= MOST_NAMED)
      torn.push(
        `row "${String(key)}" of ${String(name)} ${String(actor_key)} (${String(id)}) isn't what was written`,
      );
  }
  if (count > MOST_NAMED) torn.push(`and ${count - MOST_NAMED} more rows`);
  return torn;
}

function orphans(database: Database): string[] {
  const found = database
    .prepare("SELECT count(DISTINCT actor) AS n FROM rows WHERE actor NOT IN (SELECT number FROM actors)")
    .get();
  const n = Number(found?.["n"]);
  return n === 0 ? [] : [`rows of ${n} actors that its directory doesn't know`];
}

function actorsOf(database: Database): Map<string, { readonly hasFile: boolean }> {
  const columns = database.prepare("PRAGMA table_info(actors)").all();
  const mark = columns.some(({ name }) => name === "own_file") ? "own_file" : "NULL AS own_file";
  const actors = new Map<string, { readonly hasFile: boolean }>();
  const living = database.prepare(`SELECT id, ${mark} FROM actors WHERE destroyed_at IS NULL`);
  for (const { id, own_file } of living.iterate()) actors.set(String(id), { hasFile: own_file !== null });
  return actors;
}
