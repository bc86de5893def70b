/**
 * SnapshotTable: states of a sandbox's files that are kept under a name, in its actor's own database.
 *
 * A snapshot is a root of its own in the table of files. Taking one copies names, not contents: what a file holds is stored again only
 * when the sandbox changes it (copy on write). So a snapshot costs what the sandbox has changed since.
 */
import { limits } from "@troupe/protocol";
import type { Database } from "@troupe/runtime";
import { snapshotErrors } from "../errors.ts";
import { dropContents } from "./content-table.ts";
import type { ImageChanges } from "./file-store.ts";
import { LIVE } from "./file-table.ts";
import { inTurns } from "./turns.ts";

/** Runs on every start of an actor: what is there already stays. A root is given once. */
const SCHEMA = `CREATE TABLE IF NOT EXISTS sandbox_snapshots (
  root INTEGER PRIMARY KEY AUTOINCREMENT,
  snapshot_id TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  created_at INTEGER NOT NULL
) STRICT`;

const COUNT = "SELECT COUNT(*) AS snapshots FROM sandbox_snapshots";
const PUT = `
  INSERT INTO sandbox_snapshots (snapshot_id, name, created_at) VALUES (:snapshotId, :name, :createdAt) RETURNING root`;
const COPY = `
  INSERT INTO sandbox_entries (root, path, type, mode, modified_at, target, content)
  SELECT :root, path, type, mode, modified_at, target, content FROM sandbox_entries WHERE root = ${LIVE}`;
const PUT_ABOVE = `
  INSERT OR IGNORE INTO sandbox_entries (root, path, type, mode, modified_at, target, content)
  VALUES (:root, :path, 'directory', :mode, :modifiedAt, '', '')`;
const LIST = `
  SELECT snapshot_id, name, created_at,
    (SELECT COUNT(*) FROM sandbox_entries AS entry WHERE entry.root = snapshot.root AND type = 'file') AS files,
    (SELECT COALESCE(SUM(length(bytes)), 0) FROM sandbox_entries AS entry
      JOIN sandbox_contents ON digest = entry.content WHERE entry.root = snapshot.root) AS bytes
  FROM sandbox_snapshots AS snapshot WHERE :snapshotId = '' OR snapshot_id = :snapshotId ORDER BY root`;
const FIND = "SELECT root FROM sandbox_snapshots WHERE snapshot_id = ?";
const REMOVE = "DELETE FROM sandbox_snapshots WHERE root = ?";
const REMOVE_ENTRIES = "DELETE FROM sandbox_entries WHERE root = ? RETURNING content";

/** What is told of a snapshot. */
export interface SnapshotInfo {
  /** Random: who has it may fork it into another workspace. */
  readonly snapshotId: string;
  /** What its maker called it, or "". */
  readonly name: string;
  /** Wall clock, milliseconds. */
  readonly createdAt: number;
  /** How many files it has, and their bytes together. */
  readonly files: number;
  readonly bytes: number;
}

interface SnapshotRow extends Record<string, unknown> {
  readonly snapshot_id: string;
  readonly name: string;
  readonly created_at: number;
  readonly files: number;
  readonly bytes: number;
}

/** Makes the table: for `onMigrate`. */
export async function migrateSnapshots(database: Database): Promise<void> {
  await database.execute(SCHEMA);
}

/** The snapshots of one actor's sandbox. */
export class SnapshotTable {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Keeps what is stored now, with the directories above that. Rejects with `sandbox.too_many_snapshots`. */
  async take(name: string, above: ImageChanges): Promise<SnapshotInfo> {
    const snapshotId = crypto.randomUUID();
    const createdAt = Date.now();
    await this.#database.transaction(async (tx) => {
      const [count] = await tx.execute<{ snapshots: number }>(COUNT);
      if ((count?.snapshots ?? 0) >= limits.sandboxSnapshots)
        throw snapshotErrors.tooMany(limits.sandboxSnapshots);
      const [put] = await tx.execute<{ root: number }>(PUT, { snapshotId, name, createdAt });
      const root = put?.root ?? LIVE;
      await tx.execute(COPY, { root });
      for await (const page of inTurns(above))
        for (const [path, entry] of page) {
          if (entry.type !== "directory") continue;
          const { mode, modifiedAt } = entry;
          await tx.execute(PUT_ABOVE, { root, path, mode, modifiedAt: Math.trunc(modifiedAt) });
        }
    });
    const [info] = await this.#list(snapshotId);
    if (info === undefined) throw snapshotErrors.notFound(snapshotId);
    return info;
  }

  /** All of them, the oldest first. */
  list(): Promise<SnapshotInfo[]> {
    return this.#list("");
  }

  /** Where its files are. Rejects with `sandbox.snapshot_not_found`. */
  async root(snapshotId: string): Promise<number> {
    const [found] = await this.#database.execute<{ root: number }>(FIND, snapshotId);
    if (found === undefined) throw snapshotErrors.notFound(snapshotId);
    return found.root;
  }

  /** Forgets it, and what no other has. Rejects with `sandbox.snapshot_not_found`. */
  async remove(snapshotId: string): Promise<void> {
    const root = await this.root(snapshotId);
    await this.#database.transaction(async (tx) => {
      const entries = await tx.execute<{ content: string }>(REMOVE_ENTRIES, root);
      const named = [...new Set(entries.map(({ content }) => content))];
      for await (const digests of inTurns(named)) await dropContents(tx, digests);
      await tx.execute(REMOVE, root);
    });
  }

  async #list(snapshotId: string): Promise<SnapshotInfo[]> {
    const rows = await this.#database.execute<SnapshotRow>(LIST, { snapshotId });
    return rows.map(({ snapshot_id, name, created_at, files, bytes }) => ({
      snapshotId: snapshot_id,
      name,
      createdAt: created_at,
      files,
      bytes,
    }));
  }
}
