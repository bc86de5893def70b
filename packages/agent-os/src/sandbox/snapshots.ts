/**
 * Snapshots: a sandbox's files as they were, kept, gone back to, and forked into other workspaces.
 *
 * A snapshot is taken between two saves, when all that callers were told of is stored; what a process writes meanwhile is in it as far as it
 * is written. A fork pulls: the new workspace asks the snapshot's for its paths, then for what they hold, page by page, and
 * takes all of it or nothing. So a fork may be larger than a message, and whose id isn't known isn't forked.
 */
import { limits } from "@troupe/protocol";
import type { Database } from "@troupe/runtime";
import { snapshotErrors } from "../errors.ts";
import {
  type ContentCursor,
  type ContentPart,
  ContentParts,
  ContentTable,
  FIRST_PART,
} from "./content-table.ts";
import type { ImageChanges } from "./file-store.ts";
import { entryOf, FileTable, type PathRow } from "./file-table.ts";
import type { Sandbox } from "./sandbox.ts";
import { type SnapshotInfo, SnapshotTable } from "./snapshot-table.ts";

/** Parts of a content in one message: 4 MiB. */
const PARTS = 8;

/** The workspace that has a snapshot, as another one sees it. */
export interface SnapshotSource {
  readSnapshotPaths(snapshotId: string, after: string): Promise<readonly PathRow[]>;
  readSnapshotParts(snapshotId: string, after: ContentCursor): Promise<readonly ContentPart[]>;
}

/** What snapshots need of their workspace. */
export interface SnapshotsParts {
  readonly database: Database;
  readonly sandbox: () => Promise<Sandbox>;
  /** False: the sandbox's files aren't stored. */
  readonly durable: boolean;
}

/** The snapshots of one workspace. Methods reject with `sandbox.*`. */
export class Snapshots implements SnapshotSource {
  readonly #parts: SnapshotsParts;
  readonly #table: SnapshotTable;
  readonly #files: FileTable;
  readonly #contents: ContentTable;

  constructor(parts: SnapshotsParts) {
    this.#parts = parts;
    this.#table = new SnapshotTable(parts.database);
    this.#files = new FileTable(parts.database);
    this.#contents = new ContentTable(parts.database);
  }

  async take(name: string): Promise<SnapshotInfo> {
    if (!this.#parts.durable) throw snapshotErrors.notDurable();
    const sandbox = await this.#parts.sandbox();
    return await sandbox.whileSaved((above) => this.#table.take(name, above));
  }

  list(): Promise<SnapshotInfo[]> {
    return this.#table.list();
  }

  /** Its files, for whoever packs them. */
  async image(snapshotId: string): Promise<ImageChanges> {
    return await this.#files.load(await this.#table.root(snapshotId));
  }

  /** The sandbox has these files and no others; the snapshot stays. */
  async restore(snapshotId: string): Promise<void> {
    const image = await this.image(snapshotId);
    await (await this.#parts.sandbox()).restore(image);
  }

  remove(snapshotId: string): Promise<void> {
    return this.#table.remove(snapshotId);
  }

  /** The sandbox has the files of another workspace's snapshot and no others. */
  async fork(source: SnapshotSource, snapshotId: string): Promise<void> {
    const rows: PathRow[] = [];
    for (let after: string | undefined = ""; after !== undefined; ) {
      const page = await source.readSnapshotPaths(snapshotId, after);
      rows.push(...page);
      after = page.at(-1)?.path;
    }
    const contents = new ContentParts();
    for (let after: ContentCursor | undefined = FIRST_PART; after !== undefined; ) {
      const page = await source.readSnapshotParts(snapshotId, after);
      contents.add(page);
      after = page.at(-1);
    }
    const image = rows.map((row) => entryOf(row, contents));
    await (await this.#parts.sandbox()).restore(image);
  }

  async readSnapshotPaths(snapshotId: string, after: string): Promise<PathRow[]> {
    return await this.#files.paths(await this.#table.root(snapshotId), after, limits.sandboxSnapshotPaths);
  }

  async readSnapshotParts(snapshotId: string, after: ContentCursor): Promise<ContentPart[]> {
    return await this.#contents.page(await this.#table.root(snapshotId), after, PARTS);
  }
}
