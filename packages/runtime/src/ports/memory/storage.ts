/** MemoryStorage: an `ActorStorage` on a `MemoryDisk`, with the production's group committer. */
import { assert, type Env } from "@troupe/base";
import { storageErrors } from "../../errors.ts";
import { sqlErrors } from "../../sql/errors.ts";
import { GroupCommitter } from "../../storage/group-committer.ts";
import { OpenStores } from "../../storage/open-stores.ts";
import type { OwnStores } from "../../storage/own-stores.ts";
import { rowMapReader } from "../../storage/row-map.ts";
import type { ActorRecord, Generation } from "../directory.ts";
import type { ActorStorage, ActorStore, Alarm, StoreNeeds } from "../storage.ts";
import { MemoryDisk } from "./disk.ts";

/** What the storage is made of. */
export interface MemoryStorageOptions {
  readonly env: Pick<Env, "afterTurn">;
  /** Default: a new, empty one. */
  readonly disk?: MemoryDisk;
  /** A sync failed: the process should end. Default: nothing. */
  readonly onFatal?: (cause: unknown) => void;
  /** Makes the stores of actors with a database. Without it there are none: opening one is refused. */
  readonly own?: (setAlarm: (actorId: string, at: number | null) => void) => OwnStores;
}

/** An `ActorStorage` over a disk in memory. */
export class MemoryStorage implements ActorStorage {
  readonly disk: MemoryDisk;
  readonly #committer: GroupCommitter<string>;
  readonly #stores: OpenStores<string>;
  readonly #own: OwnStores | undefined;
  #closed = false;

  constructor(options: MemoryStorageOptions) {
    this.disk = options.disk ?? new MemoryDisk();
    this.#committer = new GroupCommitter({
      env: options.env,
      file: this.disk.connect(options.env),
      onBroken: options.onFatal ?? (() => {}),
    });
    this.#own = options.own?.((actorId, at) => this.disk.setAlarm(actorId, at));
    this.#stores = new OpenStores(
      this.#committer,
      rowMapReader((actorId) => this.disk.rowMap(actorId)),
    );
  }

  async open(actor: ActorRecord, generation: Generation, needs: StoreNeeds = {}): Promise<ActorStore> {
    if (this.#closed) throw storageErrors.closed();
    if (needs.database === true) {
      if (this.#own === undefined) throw sqlErrors.unavailable();
      return this.#own.open(actor.id, generation, needs);
    }
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
    await this.#own?.forget(actorId);
    await this.#committer.drain();
    this.disk.forget(actorId);
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#committer.drain();
    this.#stores.refuseAll();
  }
}
