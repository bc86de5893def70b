/**
 * ActorReader: the one way to an actor's rows and tables for people.
 *
 * Of an actor that is awake they are read from its activation's store, which shows each batch that was taken, and nobody
 * is told before its gate says that all of that is durable. Of one that sleeps they are read in its place, under a
 * generation of the reader's own: no code of the actor runs, its hooks least of all, and nobody can write meanwhile. One
 * that is on its way from one to the other is waited for.
 */

import { needsOf } from "../engine/hosted-factories.ts";
import { actorErrors } from "../errors.ts";
import type { ActorHost } from "../host/actor-host.ts";
import { lives } from "../host/cut-off.ts";
import type { Factories } from "../host/factories.ts";
import type { ActorRecord, Directory } from "../ports/directory.ts";
import type { ActorInstance } from "../ports/instance.ts";
import type { ActorStorage, ActorStore, StoreNeeds } from "../ports/storage.ts";
import { inspectorErrors } from "./errors.ts";
import { RecordedInstance } from "./recorded-instance.ts";

/** What it reads with. */
export interface ActorReaderParts {
  readonly host: ActorHost;
  readonly directory: Directory;
  readonly storage: ActorStorage;
  readonly factories: Factories;
}

/** Times that an actor may wake or fall asleep under a reader's eyes. */
const MOST_TURNS = 16;

/** Reads actors, awake or not. */
export class ActorReader {
  readonly #parts: ActorReaderParts;

  constructor(parts: ActorReaderParts) {
    this.#parts = parts;
  }

  /** An actor's record. Rejects with `actor.not_found`. */
  async record(id: string): Promise<ActorRecord> {
    const record = await this.#parts.directory.get(id);
    if (record === undefined) throw actorErrors.notFound(id);
    return record;
  }

  /** What an actor needs of its store. */
  needs({ name, namespace }: ActorRecord): StoreNeeds | undefined {
    return needsOf(this.#parts.factories, name, namespace);
  }

  /** The activation of an actor that is awake. */
  awake(id: string): RecordedInstance | undefined {
    const instance: ActorInstance | undefined = this.#parts.host.instance(id);
    return instance instanceof RecordedInstance ? instance : undefined;
  }

  /** What `work` has read, once all that it may have seen is durable. Rejects with `actor.not_found`, `storage.*`. */
  async read<R>(id: string, work: (store: ActorStore) => R | Promise<R>): Promise<R> {
    for (let turn = 0; turn < MOST_TURNS; turn += 1) {
      const instance = this.awake(id);
      if (instance !== undefined) return await readAwake(instance, work);
      const record = await this.record(id);
      const found = await this.#parts.host.hold(record, () => this.#readAsleep(record, work));
      if (found !== undefined) return found.value;
    }
    throw inspectorErrors.unsettled(id);
  }

  async #readAsleep<R>(record: ActorRecord, work: (store: ActorStore) => R | Promise<R>): Promise<R> {
    const { directory, storage } = this.#parts;
    const { generation } = await directory.claim(record.id);
    try {
      const store = await storage.open(record, generation, this.needs(record));
      try {
        if (!lives(await store.load())) throw actorErrors.notFound(record.id);
        return await work(store);
      } finally {
        await store.close();
      }
    } finally {
      await directory.release(record.id, generation);
    }
  }
}

async function readAwake<R>(
  instance: RecordedInstance,
  work: (store: ActorStore) => R | Promise<R>,
): Promise<R> {
  if (instance.store.inTransaction) throw inspectorErrors.transactionOpen();
  const value = await work(instance.store);
  await instance.settled();
  return value;
}
