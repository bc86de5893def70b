/**
 * OwnFiles: actors with a database, each in a file of its own.
 *
 * A file has its committer, which lives as long as somebody has its store open; so a batch that fails, or an actor that
 * writes much, is nobody else's matter. What all share are the threads that sync and checkpoint.
 */
import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Env } from "@troupe/base";
import { storageErrors } from "../../../errors.ts";
import type { Generation } from "../../../ports/directory.ts";
import type { ActorSql, ActorStore, StoreNeeds } from "../../../ports/storage.ts";
import { GroupCommitter } from "../../../storage/group-committer.ts";
import { OpenStores, type SlotStore } from "../../../storage/open-stores.ts";
import type { OwnStores } from "../../../storage/own-stores.ts";
import { DataFile } from "../data-file.ts";
import type { DataHealth } from "../data-health.ts";
import { syncDirectory } from "../files.ts";
import { HelpedFile } from "../sql-process/helped-file.ts";
import type { ActorFile, OwnTarget } from "./actor-file.ts";
import { PARTS } from "./own-database-file.ts";
import { OwnFile, type OwnPlace } from "./own-file.ts";
import type { StatementWatch } from "./statement-watch.ts";

/** What they are made of. */
export interface OwnFilesOptions {
  readonly env: Pick<Env, "afterTurn" | "timers" | "log">;
  readonly place: OwnPlace | "memory";
  readonly health: DataHealth;
  readonly watch: StatementWatch;
  /** Puts an actor's alarm into the index; settles when it is durable. */
  readonly setAlarm: (actorId: string, at: number | null) => Promise<void>;
  readonly onFatal: (cause: unknown) => void;
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

const FILE = /^([0-9a-f]{32})\.db(-wal)?$/;

/** The files of one data directory. */
export class OwnFiles implements OwnStores {
  readonly #options: OwnFilesOptions;
  readonly #open = new Map<string, Open>();
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
    const own = new OwnStore({ store, open, actorId, generation, left });
    try {
      await open.file.prepare();
      return own;
    } catch (error) {
      await own.close();
      throw error;
    }
  }

  has(actorId: string): boolean {
    return (this.#open.get(actorId)?.file ?? this.#ownFile(actorId)).exists;
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
    if (this.#options.place === "memory") return;
    const path = this.#path(actorId);
    for (const part of PARTS) rmSync(path + part, { force: true });
  }

  /**
   * After a crash: every file with a log is opened, which makes it durable, and its alarm put into the index. A file of
   * nobody (its actor's row was lost in a power cut, or its end was cut off) is deleted.
   */
  async recover(exists: (actorId: string) => boolean): Promise<void> {
    const { place, env, setAlarm } = this.#options;
    if (place === "memory") return;
    for (const name of readdirSync(place.directory)) {
      const [, actorId, log] = FILE.exec(name) ?? [];
      if (actorId === undefined || log === undefined) continue;
      try {
        if (!exists(actorId)) {
          await this.forget(actorId);
          continue;
        }
        const file = this.#ownFile(actorId);
        await setAlarm(actorId, file.connection().alarm());
        await file.close();
      } catch (error) {
        env.log.error("an actor's file is damaged; its actor can't be called", { actorId, error });
      }
    }
    syncDirectory(place.directory);
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
    const { env, onFatal } = this.#options;
    const file = this.#file(actorId, statementMs);
    const committer = new GroupCommitter<OwnTarget>({ env, file, onBroken: onFatal });
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

  /** In memory there is no other process that could have it. */
  #file(actorId: string, statementMs: number | undefined): ActorFile {
    const { env, place, health, setAlarm } = this.#options;
    if (place === "memory" || statementMs === undefined) return this.#ownFile(actorId);
    return new HelpedFile({
      env,
      place,
      path: this.#path(actorId),
      health,
      statementMs,
      setAlarm: (at) => setAlarm(actorId, at),
    });
  }

  #ownFile(actorId: string): OwnFile {
    const { env, place, health, watch, setAlarm, onFatal } = this.#options;
    return new OwnFile({
      env,
      place,
      file: new DataFile(this.#path(actorId), health),
      watch,
      setAlarm: (at) => setAlarm(actorId, at),
      onFatal,
    });
  }

  /** The last one closes the file; in memory it is all there is, and stays. */
  async #leave(actorId: string, open: Open): Promise<void> {
    open.users -= 1;
    if (open.users > 0) return;
    open.closing = open.file.close();
    await open.closing;
    open.closing = undefined;
    if (this.#options.place === "memory" || open.users > 0) return;
    if (this.#open.get(actorId) === open) this.#open.delete(actorId);
  }

  #path(actorId: string): string {
    const { place } = this.#options;
    return place === "memory" ? actorId : join(place.directory, `${actorId}.db`);
  }
}

interface OwnStoreParts {
  readonly store: SlotStore<OwnTarget>;
  readonly open: Open;
  readonly actorId: string;
  readonly generation: Generation;
  readonly left: () => Promise<void>;
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
    return this.#open.file.sql({ actorId, check, wrote, hold: () => this.#store.hold() });
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
