/**
 * An `ActorStorage` that keeps every batch that was taken, and opens as slowly as the test says.
 *
 * An actor with a database has a file of its own, which the disk in memory knows nothing of: what the disk's faults do to
 * others' batches is done to its batches here, where they are taken and settled.
 */

import type { ActorRecord, Generation } from "../../src/ports/directory.ts";
import type { MemoryDiskFaults } from "../../src/ports/memory/disk.ts";
import type {
  ActorStorage,
  ActorStore,
  Alarm,
  Batch,
  BatchSource,
  StoreNeeds,
} from "../../src/ports/storage.ts";

/** A batch and whose it is. */
export interface Taken {
  readonly actorId: string;
  readonly batch: Batch;
}

export class RecordingStorage implements ActorStorage {
  readonly #inner: ActorStorage;
  readonly taken: Taken[];
  readonly #faults: MemoryDiskFaults;
  /** Awaited before an actor's store opens. */
  beforeOpen: ((actor: ActorRecord) => Promise<void> | undefined) | undefined;

  constructor(inner: ActorStorage, taken: Taken[], faults: MemoryDiskFaults) {
    this.#inner = inner;
    this.#faults = faults;
    this.taken = taken;
  }

  async open(actor: ActorRecord, generation: Generation, needs?: StoreNeeds): Promise<ActorStore> {
    await this.beforeOpen?.(actor);
    const store = await this.#inner.open(actor, generation, needs);
    const sources = new Map<BatchSource, BatchSource>();
    const recorded = (source: BatchSource): BatchSource => {
      const known = sources.get(source);
      if (known !== undefined) return known;
      const wrapper: BatchSource = {
        take: () => {
          if (needs?.database === true) this.#faults.beforeWrite?.();
          const batch = source.take();
          this.taken.push({ actorId: actor.id, batch });
          return batch;
        },
        settled: (outcome) => {
          if (needs?.database === true && this.#faults.sync !== undefined)
            this.#faults.sync(() => source.settled(outcome));
          else source.settled(outcome);
        },
      };
      sources.set(source, wrapper);
      return wrapper;
    };
    return {
      load: () => store.load(),
      read: (keys) => store.read(keys),
      list: (range) => store.list(range),
      commit: (source) => store.commit(recorded(source)),
      ...(store.sql === undefined ? {} : { sql: store.sql.bind(store) }),
      ...(store.hold === undefined ? {} : { hold: store.hold.bind(store) }),
      close: () => store.close(),
    };
  }

  nextAlarm(): Promise<Alarm | undefined> {
    return this.#inner.nextAlarm();
  }

  dueAlarms(until: number, limit: number): Promise<readonly Alarm[]> {
    return this.#inner.dueAlarms(until, limit);
  }

  close(): Promise<void> {
    return this.#inner.close();
  }
}
