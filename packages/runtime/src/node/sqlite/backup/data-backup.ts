/**
 * backupData: a data folder, copied while it is in use.
 *
 * Every actor is in it as it was at one moment: what is in a shard is of one transaction, and so is an actor's own file,
 * which has its rows and its tables both. The moments of two files differ. Their order is what makes them fit, as after a
 * crash a shard's directory may be behind an actor's own file, and never before it:
 *
 *   1 shards       who exists, and what those keep that have no file of their own
 *   2 own files    of those who exist by 1. Created since: left out; nobody was told of them before the backup began
 *   3 the copy of the shard is mended: alarms are what the files of 2 say, and who was destroyed between 1 and 2 is
 *     destroyed in it, as the next start would finish it
 *   4 the catalogue of namespaces, which only grows; each file is made durable, and gets its digest; the list; the name
 *
 * A file that should be there, by a directory that still has its actor, and isn't, is damage: a backup that leaves it
 * out would be kept in place of one that has it.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join, resolve, sep } from "node:path";
import type { Env } from "@troupe/base";
import { backupErrors } from "../../../backup-errors.ts";
import type { BackupOptions, BackupProgress, BackupSummary } from "../../../ports/backup.ts";
import { fileError, replaceFile, syncDirectory } from "../files.ts";
import { readShardCount } from "../manifest.ts";
import { sparePath } from "../own/spare-files.ts";
import { OWN_FOLDER, OWN_NAME, shardName } from "../shard-name.ts";
import { type ListedFile, writeList } from "./backup-list.ts";
import type { ActorAlarm } from "./backup-messages.ts";
import { BackupThread } from "./backup-thread.ts";
import { WholeFolder } from "./whole-folder.ts";

/** Runs a copy of an actor's own file while nobody opens it anew, removes it, or has it for himself. */
export type CopyAside = (actorId: string, copy: () => Promise<void>) => Promise<void>;

/** What is backed up, and how. */
export interface DataBackupOptions extends BackupOptions {
  readonly env: Pick<Env, "clock" | "timers" | "log">;
  readonly dataDir: string;
  readonly to: string;
  readonly aside: CopyAside;
}

/** Rejects with `backup.*`, `storage.*` and the signal's reason; then nothing is there. */
export async function backupData(options: DataBackupOptions): Promise<BackupSummary> {
  const { env, signal } = options;
  const dataDir = resolve(options.dataDir);
  const to = resolve(options.to);
  signal?.throwIfAborted();
  if (`${to}${sep}`.startsWith(`${dataDir}${sep}`)) throw backupErrors.insideData(to, dataDir);
  if (existsSync(to)) throw backupErrors.targetExists(to);
  const startedAt = env.clock.now();
  await using folder = await WholeFolder.make(to, env);
  const copy = new DataCopy({ ...options, dataDir, to: folder.path });
  const ended = (): void => copy.thread.end(signal?.reason);
  signal?.addEventListener("abort", ended);
  try {
    const files = await copy.run();
    const endedAt = env.clock.now();
    writeList(folder.path, {
      startedAt: new Date(startedAt).toISOString(),
      endedAt: new Date(endedAt).toISOString(),
      files,
    });
    signal?.throwIfAborted();
    folder.finish();
    const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
    return { path: to, startedAt, endedAt, files: files.length, bytes };
  } catch (error) {
    throw error === copy.thread.ended ? error : fileError(to, error);
  } finally {
    signal?.removeEventListener("abort", ended);
    await copy.thread.stop();
  }
}

/** The copy of one shard, until it is mended. */
interface ShardCopy {
  readonly source: string;
  readonly copy: string;
  readonly alarms: ActorAlarm[];
  readonly gone: string[];
}

type DataCopyOptions = Pick<DataBackupOptions, "dataDir" | "to" | "aside" | "onProgress">;

/** Those who are asked after at once. */
const ACTORS_AT_ONCE = 1_000;

/** One backup, while it is made. */
class DataCopy {
  readonly thread: BackupThread;
  readonly #options: DataCopyOptions;
  readonly #done: { files: number; bytes: number } = { files: 0, bytes: 0 };
  /** Below the folder. */
  readonly #paths: string[] = [];

  constructor(options: DataCopyOptions) {
    this.#options = options;
    this.thread = new BackupThread((bytes) => this.#tell({ ...this.#done, bytes: this.#done.bytes + bytes }));
  }

  async run(): Promise<readonly ListedFile[]> {
    const { dataDir, to } = this.#options;
    const manifest = textOf(dataDir, "manifest.json");
    const count = readShardCount(dataDir);
    if (manifest === undefined || count === undefined) throw backupErrors.noData(dataDir);
    const shards: ShardCopy[] = [];
    for (let place = 0; place < count; place += 1) shards.push(await this.#shard(shardName(place)));
    mkdirSync(join(to, OWN_FOLDER));
    await this.#ownFiles(shards);
    for (const { copy: shard, alarms, gone } of shards)
      await this.thread.ask({ kind: "mend", shard, alarms, gone });
    this.#write("manifest.json", manifest);
    const catalogue = textOf(dataDir, "catalogue.json");
    if (catalogue !== undefined) this.#write("catalogue.json", catalogue);
    const files: ListedFile[] = [];
    for (const path of this.#paths)
      files.push({ path, ...(await this.thread.ask({ kind: "seal", path: join(to, path) })) });
    syncDirectory(join(to, OWN_FOLDER));
    return files;
  }

  async #shard(name: string): Promise<ShardCopy> {
    const { dataDir, to } = this.#options;
    const shard = { source: join(dataDir, name), copy: join(to, name), alarms: [], gone: [] };
    if (!existsSync(shard.source)) throw backupErrors.damaged(shard.source, "it is missing");
    const { source: from, copy } = shard;
    const { bytes } = await this.thread.ask({ kind: "copy", from, to: copy, holds: "shard" });
    this.#copied(name, bytes);
    return shard;
  }

  async #ownFiles(shards: readonly ShardCopy[]): Promise<void> {
    const there = ownIds(join(this.#options.dataDir, OWN_FOLDER));
    for (const [place, shard] of shards.entries()) {
      const ids = there.get(place) ?? [];
      const copied = new Set<string>();
      const missing = new Set<string>();
      for (let next = 0; next < ids.length; next += ACTORS_AT_ONCE) {
        const actorIds = ids.slice(next, next + ACTORS_AT_ONCE);
        for (const id of await this.thread.ask({ kind: "look", shard: shard.copy, actorIds }))
          ((await this.#ownFile(shard, id)) ? copied : missing).add(id);
      }
      for (const id of await this.thread.ask({ kind: "with-file", shard: shard.copy }))
        if (!copied.has(id)) missing.add(id);
      await this.#missing(shard, missing);
    }
  }

  /** False when there is none, or its actor is still being created, which nobody was told of. */
  async #ownFile({ alarms }: ShardCopy, id: string): Promise<boolean> {
    const name = `${OWN_FOLDER}/${id}.db`;
    const from = join(this.#options.dataDir, OWN_FOLDER, `${id}.db`);
    const to = join(this.#options.to, OWN_FOLDER, `${id}.db`);
    let copied = false;
    await this.#options.aside(id, async () => {
      const isNew = this.#isNew(id);
      if (!existsSync(from)) return;
      const { bytes, alarm, created } = await this.thread.ask({ kind: "copy", from, to, holds: "actor" });
      if (isNew && !created) return rmSync(to);
      this.#copied(name, bytes);
      alarms.push([id, alarm]);
      copied = true;
    });
    return copied;
  }

  /** What its file is made of is still there: see `spare-files.ts`. */
  #isNew(id: string): boolean {
    return existsSync(sparePath(join(this.#options.dataDir, OWN_FOLDER), id.slice(2)));
  }

  /** Those whose files aren't there: destroyed meanwhile, never begun, or lost. */
  async #missing(shard: ShardCopy, missing: Set<string>): Promise<void> {
    if (missing.size === 0) return;
    const folder = join(this.#options.dataDir, OWN_FOLDER);
    const actorIds = [...missing];
    for (const id of await this.thread.ask({ kind: "look", shard: shard.source, actorIds })) {
      if (this.#isNew(id)) continue;
      // It may have been made since the folder was read.
      if (!(await this.#ownFile(shard, id)))
        throw backupErrors.damaged(join(folder, `${id}.db`), "it is missing");
      missing.delete(id);
    }
    for (const id of missing) shard.gone.push(id);
  }

  #copied(name: string, bytes: number): void {
    this.#paths.push(name);
    this.#done.files += 1;
    this.#done.bytes += bytes;
    this.#tell({ ...this.#done });
  }

  #write(name: string, text: string): void {
    replaceFile(join(this.#options.to, name), text);
    this.#paths.push(name);
  }

  /** What the caller throws here ends the backup: nobody else would hear of it. */
  #tell(progress: BackupProgress): void {
    try {
      this.#options.onProgress?.(progress);
    } catch (error) {
      this.thread.end(error);
    }
  }
}

/** Whose files are there, by their shard. */
function ownIds(folder: string): ReadonlyMap<number, readonly string[]> {
  const ids = new Map<number, string[]>();
  if (!existsSync(folder)) return ids;
  for (const name of readdirSync(folder)) {
    const id = OWN_NAME.exec(name)?.[1];
    if (id === undefined) continue;
    const place = Number.parseInt(id.slice(0, 2), 16);
    const known = ids.get(place);
    if (known === undefined) ids.set(place, [id]);
    else known.push(id);
  }
  return ids;
}

function textOf(folder: string, name: string): string | undefined {
  try {
    return readFileSync(join(folder, name), "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw fileError(join(folder, name), error);
  }
}
