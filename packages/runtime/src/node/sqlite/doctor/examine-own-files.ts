/** What is wrong with actors' own files: those that are missing, nobody's, or damaged. */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { type Finding, fine, problem, warning } from "@troupe/base";
import { fileError } from "../files.ts";
import { OWN_LAYOUT_VERSION } from "../own/own-connection.ts";
import { sparePath } from "../own/spare-files.ts";
import { OWN_FOLDER, OWN_NAME } from "../shard-name.ts";
import { rowCrc } from "../shard-writer.ts";
import { type ExaminedShard, integrity } from "./examine-shard.ts";
import { LookedAt } from "./looked-at.ts";

const RESTORE =
  "restore a backup (troupe restore); all other actors go on, and this one's calls fail with storage.corrupt until then";

/** Reads all of them. `shards`: by their place. */
export function examineOwnFiles(dataDir: string, shards: readonly ExaminedShard[]): readonly Finding[] {
  const folder = join(dataDir, OWN_FOLDER);
  const ids = new Set(existsSync(folder) ? idsIn(folder) : []);
  const wrong = [...missing(folder, ids, shards)];
  const nobodys: string[] = [];
  for (const id of ids) {
    const { actors } = shards[Number.parseInt(id.slice(0, 2), 16)] ?? {};
    // A directory that can't be read knows of nobody.
    if (actors !== undefined && !actors.has(id)) nobodys.push(id);
    const what = damage(join(folder, `${id}.db`));
    if (what !== undefined) wrong.push(problem(`${OWN_FOLDER}/${id}.db`, what, RESTORE));
  }
  if (nobodys.length > 0)
    wrong.push(
      warning(
        OWN_FOLDER,
        `files of ${nobodys.length} actors that no directory knows, such as ${nobodys[0]}.db`,
        "what a crash left is deleted by the next start; otherwise the folder was put together of two",
      ),
    );
  return wrong.length === 0 ? [fine(OWN_FOLDER, `${ids.size} files, every row as it was written`)] : wrong;
}

function idsIn(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => OWN_NAME.exec(name)?.[1] ?? []);
}

function* missing(
  folder: string,
  ids: ReadonlySet<string>,
  shards: readonly ExaminedShard[],
): Generator<Finding> {
  for (const { actors } of shards) {
    for (const [id, { hasFile }] of actors ?? []) {
      if (!hasFile || ids.has(id) || existsSync(sparePath(folder, id.slice(2)))) continue;
      const mend = `${RESTORE}; where it is lost for good: troupe doctor DATA --give-up ${id}`;
      yield problem(`${OWN_FOLDER}/${id}.db`, "it is missing, and its actor is known", mend);
    }
  }
}

/** What is wrong with one file; nothing for one that is as it was written. */
export function damage(path: string): string | undefined {
  try {
    using look = new LookedAt(path);
    const { database } = look;
    const layout = Number(
      database.prepare("SELECT value FROM _troupe_meta WHERE key = 'layout'").get()?.["value"],
    );
    if (layout > OWN_LAYOUT_VERSION) return `layout ${layout}: a newer Troupe wrote it`;
    const [first] = integrity(database);
    if (first !== undefined) return first;
    for (const { key, value, crc } of database.prepare("SELECT key, value, crc FROM _troupe_rows").iterate())
      if (!(value instanceof Uint8Array) || rowCrc(0, value) !== crc)
        return `row "${String(key)}" isn't what was written`;
    return undefined;
  } catch (cause) {
    return fileError(path, cause).message;
  }
}
