/** MemoryStorage: an `ActorStorage` on a `MemoryDisk`, with the production's group committer. */
import { assert, type Env } from "@troupe/base";
import { storageErrors } from "../../errors.ts";
import { GroupCommitter } from "../../storage/group-committer.ts";
import { OpenStores } from "../../storage/open-stores.ts";
import { rowMapReader } from "../../storage/row-map.ts";
import type { ActorRecord, Generation } from "../directory.ts";
import type { ActorStorage, ActorStore, Alarm } from "../storage.ts";
import { MemoryDisk } from "./disk.ts";

/** What the storage is made of. */
export interface MemoryStorageOptions {
  readonly env: Pick<Env, "afterTurn">;
  /** Default: a new, empty one. */
  readonly disk?: MemoryDisk;
  /** A sync failed: the process should end. Default: nothing. */
  readonly onFatal?: (cause: unknown) => void;
}

/** An `ActorStorage` over a disk in memory. */
export class MemoryStorage implements ActorStorage {
  readonly disk: MemoryDisk;
  readonly #committer: GroupCommitter<string>;
  readonly #stores: OpenStores<string>;
  #closed = false;

  constructor(options: MemoryStorageOptions) {
    this.disk = options.disk ?? new MemoryDisk();
    this.#committer = new GroupCommitter({
      env: options.env,
      file: this.disk.connect(options.env),
      onBroken: options.onFatal ?? (() => {}),
    });
    this.#stores = new OpenStores(
      this.#committer,
      rowMapReader((actorId) => this.disk.rowMap(actorId)),
    );
  }

  async open(actor: ActorRecord, generation: Generation): Promise<ActorStore> {
    if (this.#closed) throw storageErrors.closed();
    return this.#stores.open({ actorId: actor.id, generation, target: actor.id });
  }

  async nextAlarm(): Promise<Alarm | undefined> {
    return this.disk.alarms()[0];
  }

  async dueAlarms(until: number, limit: number): Promise<readonly Alarm[]> {
    assert(limit >= 1, "a limit of 1 or more");
    return this.disk
      .alarms()
      .filter((alarm) => alarm.at <= until)
      .slice(0, limit);
  }

  /** The actor was destroyed: nobody commits for it any more, and nothing of it stays. */
  async forget(actorId: string): Promise<void> {
    this.#stores.fence(actorId);
    await this.#committer.drain();
    this.disk.forget(actorId);
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#committer.drain();
    this.#stores.refuseAll();
  }
}
