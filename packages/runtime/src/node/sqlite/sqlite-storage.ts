/** SqliteStorage: what actors keep, in the shards of one data directory. A wake writes nothing. */
import { TroupeError } from "@troupe/base";
import { actorErrors, storageErrors } from "../../errors.ts";
import type { ActorRecord, Generation } from "../../ports/directory.ts";
import type { ActorStorage, ActorStore, Alarm, CommitTimes, StoreNeeds } from "../../ports/storage.ts";
import { databaseErrors } from "../../sql/errors.ts";
import type { OwnStores } from "../../storage/own-stores.ts";
import type { Shard } from "./shard.ts";
import type { ShardActor } from "./shard-target.ts";
import type { Shards } from "./shards.ts";

/** What the storage is made of. */
export interface SqliteStorageOptions {
  readonly shards: Shards;
  /** Actors with a database. */
  readonly own: OwnStores;
  /** Generations below this are from before the start. */
  readonly oldestGeneration: Generation;
  readonly commits: CommitTimes;
  readonly close: () => Promise<void>;
}

/** The `ActorStorage` of one data directory. */
export class SqliteStorage implements ActorStorage {
  readonly #options: SqliteStorageOptions;

  constructor(options: SqliteStorageOptions) {
    this.#options = options;
  }

  get commits(): CommitTimes {
    return this.#options.commits;
  }

  async open(record: ActorRecord, generation: Generation, needs: StoreNeeds = {}): Promise<ActorStore> {
    const { id } = record;
    if (generation < this.#options.oldestGeneration) throw storageErrors.fenced(id);
    const shard = this.#options.shards.ofId(id);
    const actor = shard === undefined ? undefined : actorOf(shard, id);
    if (shard === undefined || actor === undefined) throw actorErrors.notFound(id);
    const { own } = this.#options;
    if (needs.database === true) {
      // Its shard knows such an actor's address alone: rows of it there are from when it had no database.
      if (shard.reader.rows(actor.number).length > 0) throw databaseErrors.databaseGained(record.name);
      return await own.open(id, generation, needs);
    }
    return shard.stores.open({ actorId: id, generation, target: { kind: "rows", actor } });
  }

  async nextAlarm(): Promise<Alarm | undefined> {
    return (await this.dueAlarms(Number.MAX_SAFE_INTEGER, 1))[0];
  }

  async dueAlarms(until: number, limit: number): Promise<readonly Alarm[]> {
    const due: Alarm[] = [];
    for (const [, shard] of this.#options.shards.usable()) due.push(...alarmsOf(shard, until, limit));
    return due.sort((a, b) => a.at - b.at).slice(0, limit);
  }

  close(): Promise<void> {
    return this.#options.close();
  }
}

/** A shard that is found damaged here keeps no other's actors from being woken. */
function alarmsOf(shard: Shard, until: number, limit: number): readonly Alarm[] {
  try {
    return shard.reader.alarms(until, limit);
  } catch (cause) {
    if (TroupeError.is(cause) && cause.code === "corrupt") return [];
    throw cause;
  }
}

function actorOf(shard: Shard, id: string): ShardActor | undefined {
  const unsettled = shard.unsettledById.get(id);
  if (unsettled !== undefined) return unsettled.created;
  const number = shard.reader.number(id);
  return number === undefined ? undefined : { number, id, failure: undefined };
}
