/**
 * FileTable: a sandbox's files in its actor's own database.
 *
 * A path is a row, and what a file holds is rows of at most {@link PART} bytes, since a statement binds so much. What one
 * operation of the sandbox changed is one transaction: a crash leaves all of it or nothing.
 */
import { limits } from "@troupe/protocol";
import type { Database } from "@troupe/runtime";
import type { FileStore, ImageChanges, ImageEntry } from "./file-store.ts";

/** Runs on every start of an actor: what is there already stays. */
const SCHEMAS = [
  `CREATE TABLE IF NOT EXISTS sandbox_files (
    path TEXT NOT NULL PRIMARY KEY,
    type TEXT NOT NULL,
    mode INTEGER NOT NULL,
    modified_at INTEGER NOT NULL,
    target TEXT NOT NULL
  ) STRICT, WITHOUT ROWID`,
  `CREATE TABLE IF NOT EXISTS sandbox_file_parts (
    path TEXT NOT NULL,
    part INTEGER NOT NULL,
    content BLOB NOT NULL,
    PRIMARY KEY (path, part)
  ) STRICT`,
];

const PART = limits.sqlBoundBytes / 2;
/** Of one answer. */
const PATHS = 10_000;
const PARTS = limits.sqlResultBytes / (2 * PART);

const FILES = `
  SELECT path, type, mode, modified_at, target FROM sandbox_files WHERE path > :after ORDER BY path LIMIT ${PATHS}`;
const CONTENTS = `
  SELECT path, part, content FROM sandbox_file_parts
  WHERE (path, part) > (:path, :part) ORDER BY path, part LIMIT ${PARTS}`;
const PUT = `
  INSERT OR REPLACE INTO sandbox_files (path, type, mode, modified_at, target)
  VALUES (:path, :type, :mode, :modifiedAt, :target)`;
const PUT_PART = "INSERT INTO sandbox_file_parts (path, part, content) VALUES (:path, :part, :content)";
/** "0" comes right behind "/". */
const BELOW = "path >= :path || '/' AND path < :path || '0'";

interface PathRow {
  readonly path: string;
  readonly type: ImageEntry["type"];
  readonly mode: number;
  readonly modified_at: number;
  readonly target: string;
}

interface PartRow {
  readonly path: string;
  readonly part: number;
  readonly content: Uint8Array;
}

/** Makes the tables: for `onMigrate`. */
export async function migrateFiles(database: Database): Promise<void> {
  for (const schema of SCHEMAS) await database.execute(schema);
}

/** The files of one actor's sandbox. */
export class FileTable implements FileStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  async load(): Promise<ImageChanges> {
    const contents = await this.#contents();
    const changes: [string, ImageEntry][] = [];
    for (let after = ""; ; ) {
      const rows = await this.#database.execute<PathRow & Record<string, unknown>>(FILES, { after });
      for (const row of rows) changes.push([row.path, entryOf(row, contents.get(row.path) ?? [])]);
      const last = rows.at(-1);
      if (last === undefined || rows.length < PATHS) return changes;
      after = last.path;
    }
  }

  async save(changes: ImageChanges): Promise<void> {
    const timeout = limits.sqlTransactionLongestMs;
    await this.#database.transaction(
      async (tx) => {
        for (const [path, entry] of changes) await replace(tx, path, entry);
      },
      { timeout },
    );
  }

  async #contents(): Promise<Map<string, Uint8Array[]>> {
    const contents = new Map<string, Uint8Array[]>();
    let at = { path: "", part: 0 };
    for (;;) {
      const rows = await this.#database.execute<PartRow & Record<string, unknown>>(CONTENTS, at);
      for (const { path, content } of rows) {
        const parts = contents.get(path);
        if (parts === undefined) contents.set(path, [content]);
        else parts.push(content);
      }
      const last = rows.at(-1);
      if (last === undefined || rows.length < PARTS) return contents;
      at = { path: last.path, part: last.part };
    }
  }
}

async function replace(tx: Database, path: string, entry: ImageEntry): Promise<void> {
  for (const table of ["sandbox_file_parts", "sandbox_files"]) {
    await tx.execute(`DELETE FROM ${table} WHERE path = :path`, { path });
    // What a path contained goes with it; a directory's new content comes behind it.
    if (entry.type !== "directory") await tx.execute(`DELETE FROM ${table} WHERE ${BELOW}`, { path });
  }
  if (entry.type === "removed" && !entry.given) return;
  const mode = "mode" in entry ? entry.mode : 0;
  const modifiedAt = "modifiedAt" in entry ? Math.trunc(entry.modifiedAt) : 0;
  const target = entry.type === "symlink" ? entry.target : "";
  await tx.execute(PUT, { path, type: entry.type, mode, modifiedAt, target });
  if (entry.type !== "file") return;
  for (let part = 0; part * PART < entry.content.byteLength; part += 1) {
    const content = entry.content.subarray(part * PART, (part + 1) * PART);
    await tx.execute(PUT_PART, { path, part, content });
  }
}

function entryOf({ type, mode, modified_at: modifiedAt, target }: PathRow, parts: Uint8Array[]): ImageEntry {
  switch (type) {
    case "file":
      return { type, content: joined(parts), mode, modifiedAt };
    case "directory":
      return { type, mode, modifiedAt };
    case "symlink":
      return { type, target };
    case "removed":
      return { type, given: true };
  }
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const [first] = parts;
  if (first !== undefined && parts.length === 1) return first;
  const whole = new Uint8Array(parts.reduce((bytes, part) => bytes + part.byteLength, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.byteLength;
  }
  return whole;
}
