/** An `ActorStorage` that keeps every batch that was taken, and opens as slowly as the test says. */
import type { ActorRecord, Generation } from "../../src/ports/directory.ts";
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
  /** Awaited before an actor's store opens. */
  beforeOpen: ((actor: ActorRecord) => Promise<void> | undefined) | undefined;

  constructor(inner: ActorStorage, taken: Taken[]) {
    this.#inner = inner;
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
          const batch = source.take();
          this.taken.push({ actorId: actor.id, batch });
          return batch;
        },
        settled: (outcome) => source.settled(outcome),
      };
      sources.set(source, wrapper);
      return wrapper;
    };
    return {
      load: () => store.load(),
      read: (keys) => store.read(keys),
      list: (range) => store.list(range),
      commit: (source) => store.commit(recorded(source)),
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
