/**
 * OwnFiles: actors with a database, each in a file of its own.
 *
 * A file has its committer, which lives as long as somebody has its store open; so a batch that fails, or an actor that
 * writes much, is nobody else's matter. What all share are the threads that sync and checkpoint.
 */
import type { Env } from "@troupe/base";
import { backupErrors } from "../../../backup-errors.ts";
import { storageErrors } from "../../../errors.ts";
import type { Generation } from "../../../ports/directory.ts";
import type { ActorSql, ActorStore, StoreNeeds } from "../../../ports/storage.ts";
import type { CommitFigures } from "../../../storage/commit-figures.ts";
import { GroupCommitter } from "../../../storage/group-committer.ts";
import { OpenStores, type SlotStore } from "../../../storage/open-stores.ts";
import type { OwnFileLook, OwnStores } from "../../../storage/own-stores.ts";
import type { ActorFile, OwnTarget } from "./actor-file.ts";
import type { OwnDisk } from "./own-directory.ts";

/** What they are made of. */
export interface OwnFilesOptions {
  readonly env: Pick<Env, "afterTurn">;
  readonly disk: OwnDisk;
  /** A sync failed. */
  readonly onFatal: (cause: unknown) => void;
  readonly figures?: CommitFigures | undefined;
}

interface Open {
  readonly file: ActorFile;
  readonly committer: GroupCommitter<OwnTarget>;
  readonly stores: OpenStores<OwnTarget>;
  users: number;
  /** Whose statements the connection takes. */
  newest: Generation;
  closing: Promise<void> | undefined;
}

/** The files of one data directory. */
export class OwnFiles implements OwnStores {
  readonly #options: OwnFilesOptions;
  readonly #open = new Map<string, Open>();
  /** Files that are being copied, until that is over. */
  readonly #copies = new Map<string, Promise<void>>();
  #closed = false;

  constructor(options: OwnFilesOptions) {
    this.#options = options;
  }

  async open(actorId: string, generation: Generation, needs: StoreNeeds = {}): Promise<ActorStore> {
    if (this.#closed) throw storageErrors.closed();
    const open = this.#of(actorId, needs.statementMs);
    const store = open.stores.open({ actorId, generation, target: "actor", empty: "always" });
    open.users += 1;
    open.file.abandon();
    open.newest = generation;
    const left = (): Promise<void> => this.#leave(actorId, open);
    const copied = (): Promise<void> | undefined => this.#copies.get(actorId);
    return new OwnStore({ store, open, actorId, generation, left, copied });
  }

  look(actorId: string): OwnFileLook {
    return this.#options.disk.look(actorId);
  }

  fence(actorId: string): void {
    this.#open.get(actorId)?.stores.fence(actorId);
  }

  async forget(actorId: string): Promise<void> {
    const open = this.#open.get(actorId);
    this.#open.delete(actorId);
    open?.stores.fence(actorId);
    await open?.committer.drain();
    await (open?.closing ?? open?.file.close());
    await this.#copies.get(actorId);
    this.#options.disk.remove(actorId);
  }

  /**
   * Runs a copy of an actor's file; nobody opens it anew meanwhile, or removes it. Whoever wakes the actor waits. Rejects with
   * `backup.file_busy`.
   */
  async aside(actorId: string, copy: () => Promise<void>): Promise<void> {
    const file = this.#open.get(actorId)?.file;
    const running = file?.aside === undefined ? copy().then(() => true) : file.aside(copy);
    const over = running.then(
      () => {},
      () => {},
    );
    this.#copies.set(actorId, over);
    try {
      if (!(await running)) throw backupErrors.fileBusy(actorId);
    } finally {
      this.#copies.delete(actorId);
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    const all = [...this.#open.values()];
    await Promise.all(
      all.map(async (open) => {
        await open.committer.drain();
        open.stores.refuseAll();
        await (open.closing ?? open.file.close());
      }),
    );
  }

  #of(actorId: string, statementMs: number | undefined): Open {
    const known = this.#open.get(actorId);
    if (known !== undefined) return known;
    const { env, disk, figures, onFatal } = this.#options;
    const file = disk.file(actorId, statementMs);
    const committer = new GroupCommitter<OwnTarget>({ env, file, figures, onBroken: onFatal });
    const made: Open = {
      file,
      committer,
      stores: new OpenStores(committer, file),
      users: 0,
      newest: 0,
      closing: undefined,
    };
    this.#open.set(actorId, made);
    return made;
  }

  /** One closing after the other, and none of a file that somebody has opened again. */
  async #close(open: Open): Promise<void> {
    await open.closing?.catch(() => {});
    if (open.users === 0) await open.file.close();
  }

  /** The last one closes the file; in memory it is all there is, and stays. */
  async #leave(actorId: string, open: Open): Promise<void> {
    open.users -= 1;
    if (open.users > 0) return;
    const closing = this.#close(open);
    open.closing = closing;
    await closing;
    // Somebody has come and left meanwhile: the rest is theirs.
    if (open.closing !== closing) return;
    open.closing = undefined;
    if (!this.#options.disk.keepsClosedFiles || open.users > 0) return;
    if (this.#open.get(actorId) === open) this.#open.delete(actorId);
  }
}

interface OwnStoreParts {
  readonly store: SlotStore<OwnTarget>;
  readonly open: Open;
  readonly actorId: string;
  readonly generation: Generation;
  readonly left: () => Promise<void>;
  /** Settles when its file isn't copied any more. */
  readonly copied: () => Promise<void> | undefined;
}

/** One activation's store over its actor's own file. */
class OwnStore implements ActorStore {
  readonly #parts: OwnStoreParts;
  readonly #store: SlotStore<OwnTarget>;
  readonly #open: Open;
  #closed: Promise<void> | undefined;

  constructor(parts: OwnStoreParts) {
    this.#parts = parts;
    this.#store = parts.store;
    this.#open = parts.open;
  }

  async load(): ReturnType<ActorStore["load"]> {
    await this.#open.closing;
    await this.#parts.copied();
    return await this.#store.load();
  }

  read(keys: readonly string[]): ReturnType<ActorStore["read"]> {
    return this.#store.read(keys);
  }

  list(range: Parameters<ActorStore["list"]>[0]): ReturnType<ActorStore["list"]> {
    return this.#store.list(range);
  }

  commit(source: Parameters<ActorStore["commit"]>[0]): void {
    this.#store.commit(source);
  }

  sql(wrote: () => void): ActorSql {
    const { actorId } = this.#parts;
    const check = (): void => this.#check();
    return this.#open.file.sql({ actorId, check, wrote, hold: () => this.hold() });
  }

  hold(): () => void {
    return this.#store.hold();
  }

  close(): Promise<void> {
    this.#closed ??= this.#store.close().then(this.#parts.left);
    return this.#closed;
  }

  #check(): void {
    if (this.#closed !== undefined) throw storageErrors.closed();
    const { actorId, generation } = this.#parts;
    if (this.#open.newest !== generation) throw storageErrors.fenced(actorId);
  }
}
