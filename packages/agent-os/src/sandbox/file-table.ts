/**
 * FileTable: a sandbox's files in its actor's own database.
 *
 * A path is a row of a root: root 0 is what the sandbox has, each other one a snapshot (`snapshot-table.ts`). What a file holds is
 * stored beside it, once for all that have it (`content-table.ts`): so a snapshot copies names alone, and so does going back to one. What
 * one operation of the sandbox changed is one transaction: a crash leaves all of it or nothing.
 */
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
const PATHS = 10_000;

const FILES = `
  SELECT path, type, mode, modified_at, target, content FROM sandbox_entries
  WHERE root = :root AND path > :after ORDER BY path LIMIT :limit`;
const PUT = `
  INSERT INTO sandbox_entries (root, path, type, mode, modified_at, target, content)
  VALUES (${LIVE}, :path, :type, :mode, :modifiedAt, :target, :content)`;
const REMOVE = `DELETE FROM sandbox_entries WHERE root = ${LIVE} AND path = :path RETURNING content`;
/** "0" comes right behind "/". Removals of what an empty sandbox has stay, whatever comes above them. */
const REMOVE_BELOW = `
  DELETE FROM sandbox_entries
  WHERE root = ${LIVE} AND path >= :path || '/' AND path < :path || '0' AND type <> 'removed' RETURNING content`;

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
        for (const [path, entry] of changes) await replace(tx, path, entry, replaced);
        await dropContents(tx, replaced);
      },
      { timeout },
    );
  }
}

async function replace(tx: Database, path: string, entry: ImageEntry, replaced: Set<string>): Promise<void> {
  // What a path contained goes with it; a directory's new content comes behind it.
  for (const removal of entry.type === "directory" ? [REMOVE] : [REMOVE, REMOVE_BELOW])
    for (const { content } of await tx.execute<{ content: string }>(removal, { path })) replaced.add(content);
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
