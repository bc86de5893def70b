/**
 * FileTable: a sandbox's files in its actor's own database.
 *
 * A path is a row of a root: root 0 is what the sandbox has, each other one a snapshot (`snapshot-table.ts`). What a file holds is
 * stored beside it, once for all that have it (`content-table.ts`): so a snapshot copies names alone, and so does going back to one. What
 * one operation of the sandbox changed is one transaction, over as many turns of the runtime as it takes: a crash leaves all of it or nothing.
 */
import { setImmediate } from "node:timers/promises";
import { limits } from "@troupe/protocol";
import type { Database } from "@troupe/runtime";
import {
  CONTENT_SCHEMA,
  type ContentParts,
  ContentTable,
  dropContents,
  EMPTY,
  putContent,
} from "./content-table.ts";
import type { FileStore, ImageChanges, ImageEntry } from "./file-store.ts";
import { inTurns } from "./turns.ts";

/** Runs on every start of an actor: what is there already stays. */
const SCHEMAS = [
  `CREATE TABLE IF NOT EXISTS sandbox_entries (
    root INTEGER NOT NULL,
    path TEXT NOT NULL,
    type TEXT NOT NULL,
    mode INTEGER NOT NULL,
    modified_at INTEGER NOT NULL,
    target TEXT NOT NULL,
    content TEXT NOT NULL,
    PRIMARY KEY (root, path)
  ) STRICT, WITHOUT ROWID`,
  "CREATE INDEX IF NOT EXISTS sandbox_entries_content ON sandbox_entries (content)",
  CONTENT_SCHEMA,
];

/** Tables of versions that had no snapshots: a path's content was its own. */
const BEFORE = "SELECT 1 AS found FROM sqlite_master WHERE type = 'table' AND name = 'sandbox_file_parts'";
const MOVE = [
  "INSERT INTO sandbox_contents (digest, part, bytes) SELECT 'path:' || path, part, content FROM sandbox_file_parts",
  `INSERT INTO sandbox_entries (root, path, type, mode, modified_at, target, content)
    SELECT 0, path, type, mode, modified_at, target, CASE WHEN
      EXISTS (SELECT 1 FROM sandbox_file_parts AS part WHERE part.path = sandbox_files.path) THEN 'path:' || path ELSE '' END
    FROM sandbox_files`,
  "DROP TABLE sandbox_file_parts",
  "DROP TABLE sandbox_files",
];

/** The root of what the sandbox has now. */
export const LIVE = 0;

/** Of one answer. */
const PATHS = 1_000;

const FILES = `
  SELECT path, type, mode, modified_at, target, content FROM sandbox_entries
  WHERE root = :root AND path > :after ORDER BY path LIMIT :limit`;
const PUT = `
  INSERT INTO sandbox_entries (root, path, type, mode, modified_at, target, content)
  VALUES (${LIVE}, :path, :type, :mode, :modifiedAt, :target, :content)`;
const REMOVE = `
  DELETE FROM sandbox_entries WHERE root = ${LIVE} AND path IN (SELECT value FROM json_each(:paths)) RETURNING content`;
/** Some of what is below. "0" comes right behind "/". Removals of what an empty sandbox has stay, whatever comes above them. */
const REMOVE_BELOW = `
  DELETE FROM sandbox_entries WHERE root = ${LIVE} AND path IN (
    SELECT below.path FROM json_each(:paths) AS gone CROSS JOIN sandbox_entries AS below ON
      below.root = ${LIVE} AND below.path >= gone.value || '/' AND below.path < gone.value || '0' AND below.type <> 'removed'
    LIMIT ${limits.sandboxTurnPaths}
  ) RETURNING content`;

/** A path of a root, as it is stored. */
export interface PathRow extends Record<string, unknown> {
  readonly path: string;
  readonly type: ImageEntry["type"];
  readonly mode: number;
  readonly modified_at: number;
  readonly target: string;
  readonly content: string;
}

/** Makes the tables: for `onMigrate`. */
export async function migrateFiles(database: Database): Promise<void> {
  for (const schema of SCHEMAS) await database.execute(schema);
  if ((await database.execute(BEFORE)).length === 0) return;
  await database.transaction(async (tx) => {
    for (const step of MOVE) await tx.execute(step);
  });
}

/** The files of one actor's sandbox. */
export class FileTable implements FileStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Those of the sandbox itself, or of a snapshot. */
  async load(root = LIVE): Promise<ImageChanges> {
    const contents = await new ContentTable(this.#database).load(root);
    const changes: ImageChanges[number][] = [];
    for (let after: string | undefined = ""; after !== undefined; ) {
      const rows = await this.paths(root, after, PATHS);
      changes.push(...rows.map((row) => entryOf(row, contents)));
      after = rows.length < PATHS ? undefined : rows.at(-1)?.path;
    }
    return changes;
  }

  /** Some of a root's paths, in order, without what they hold. */
  async paths(root: number, after: string, limit: number): Promise<PathRow[]> {
    return await this.#database.execute<PathRow>(FILES, { root, after, limit });
  }

  async save(changes: ImageChanges): Promise<void> {
    const timeout = limits.sqlTransactionLongestMs;
    await this.#database.transaction(
      async (tx) => {
        const replaced = new Set<string>();
        // All that goes goes first: of what is put there nothing is below something that goes.
        for await (const page of inTurns(changes)) await removeFrom(tx, page, replaced);
        for await (const page of inTurns(changes))
          for (const [path, entry] of page) await put(tx, path, entry);
        for await (const digests of inTurns([...replaced])) await dropContents(tx, digests);
      },
      { timeout },
    );
  }
}

async function removeFrom(tx: Database, changes: ImageChanges, replaced: Set<string>): Promise<void> {
  const remove = async (removal: string, paths: string): Promise<boolean> => {
    const removed = await tx.execute<{ content: string }>(removal, { paths });
    for (const { content } of removed) replaced.add(content);
    return removed.length > 0;
  };
  for (const paths of listsOf(changes.map(([path]) => path))) await remove(REMOVE, paths);
  // What a path contained goes with it; a directory's new content comes behind it.
  const emptied = changes.filter(([, { type }]) => type !== "directory").map(([path]) => path);
  for (const paths of listsOf(emptied)) while (await remove(REMOVE_BELOW, paths)) await setImmediate();
}

/** As JSON, in lists that a statement may bind. */
function* listsOf(paths: readonly string[]): Generator<string> {
  let [list, bytes] = [[] as string[], 0];
  for (const path of paths) {
    // A character is written with six bytes at most.
    bytes += 6 * path.length + 3;
    if (bytes > limits.sqlBoundBytes) {
      yield JSON.stringify(list);
      [list, bytes] = [[], 6 * path.length + 3];
    }
    list.push(path);
  }
  if (list.length > 0) yield JSON.stringify(list);
}

async function put(tx: Database, path: string, entry: ImageEntry): Promise<void> {
  if (entry.type === "removed" && !entry.given) return;
  const { type } = entry;
  const mode = "mode" in entry ? entry.mode : 0;
  const modifiedAt = "modifiedAt" in entry ? Math.trunc(entry.modifiedAt) : 0;
  const target = type === "symlink" ? entry.target : "";
  const content = type === "file" ? await putContent(tx, entry.content) : EMPTY;
  await tx.execute(PUT, { path, type, mode, modifiedAt, target, content });
}

/** A path as an image has it. */
export function entryOf(row: PathRow, contents: ContentParts): ImageChanges[number] {
  const { path, type, mode, modified_at: modifiedAt, target, content } = row;
  switch (type) {
    case "file":
      return [path, { type, content: contents.get(content), mode, modifiedAt }];
    case "directory":
      return [path, { type, mode, modifiedAt }];
    case "symlink":
      return [path, { type, target }];
    case "removed":
      return [path, { type, given: true }];
  }
}
