/**
 * OpenStores: the activations that may commit now, and the fence between them.
 *
 * An actor has at most one open store. Opening it for a newer generation refuses everything that the older one has not
 * given away yet, and the newer one reads only when what all older ones had given away is settled: a new activation
 * never acts on rows that a power cut could take back. An actor that sleeps has no entry.
 */
import type { TroupeError } from "@troupe/base";
import { storageErrors } from "../errors.ts";
import type { Generation } from "../ports/directory.ts";
import type { ActorStore, BatchSource, MaybePromise, Row, RowRange } from "../ports/storage.ts";
import { CommitSlot } from "./commit-slot.ts";
import type { GroupCommitter } from "./group-committer.ts";

/** How a store is opened. */
export interface OpenOptions<Target> {
  readonly actorId: string;
  readonly generation: Generation;
  readonly target: Target;
  /** `always`: a batch without rows is written as well, for what else the file may hold of it. */
  readonly empty?: "skipped" | "always";
}

/** Reads an actor's rows, as they are in the file now: each batch that was taken is there. See `ActorStore`. */
export interface RowReader<Target> {
  load(target: Target): MaybePromise<readonly Row[]>;
  read(target: Target, keys: readonly string[]): MaybePromise<readonly (Uint8Array | undefined)[]>;
  list(target: Target, range: RowRange): MaybePromise<readonly Row[]>;
}

/** The open stores of one file, and who of an actor's may commit. */
export class OpenStores<Target> {
  readonly committer: GroupCommitter<Target>;
  readonly rows: RowReader<Target>;
  readonly #open = new Map<string, SlotStore<Target>>();

  constructor(committer: GroupCommitter<Target>, rows: RowReader<Target>) {
    this.committer = committer;
    this.rows = rows;
  }

  /** Throws `storage.fenced` when this generation or a newer one is open. */
  open(options: OpenOptions<Target>): SlotStore<Target> {
    const { actorId, generation } = options;
    const older = this.#open.get(actorId);
    if (older !== undefined) {
      if (older.generation >= generation && !older.closed) throw storageErrors.fenced(actorId);
      older.refuse(storageErrors.fenced(actorId));
    }
    const store = new SlotStore(options, this, older?.unsettled ?? []);
    this.#open.set(actorId, store);
    return store;
  }

  /** The store isn't open any more, unless a newer one of its actor's is. */
  closed(actorId: string, store: ActorStore): void {
    if (this.#open.get(actorId) === store) this.#open.delete(actorId);
  }

  /** From now on nobody commits for this actor. */
  fence(actorId: string): void {
    this.#open.get(actorId)?.refuse(storageErrors.fenced(actorId));
  }

  /** From now on nobody commits at all: the files are about to go. */
  refuseAll(): void {
    for (const store of this.#open.values()) store.refuse(storageErrors.closed());
  }
}

/** One activation's store over its slot. */
export class SlotStore<Target> implements ActorStore {
  readonly slot: CommitSlot<Target>;
  readonly generation: Generation;
  closed = false;
  readonly #actorId: string;
  readonly #stores: OpenStores<Target>;
  /** The writers before this one that had batches on their way when it was opened. */
  readonly #predecessors: readonly CommitSlot<Target>[];

  constructor(
    options: OpenOptions<Target>,
    stores: OpenStores<Target>,
    predecessors: readonly CommitSlot<Target>[],
  ) {
    this.slot = new CommitSlot(options.target, options.empty === "always" ? "operation" : "rows");
    this.generation = options.generation;
    this.#actorId = options.actorId;
    this.#stores = stores;
    this.#predecessors = predecessors;
  }

  /** This writer, and those before it, as far as batches of theirs are on their way. */
  get unsettled(): readonly CommitSlot<Target>[] {
    return [...this.#predecessors, this.slot].filter(({ busy }) => busy);
  }

  async load(): Promise<readonly Row[]> {
    for (const slot of this.#predecessors) await slot.settled();
    this.#check();
    return await this.#stores.rows.load(this.slot.target);
  }

  read(keys: readonly string[]): MaybePromise<readonly (Uint8Array | undefined)[]> {
    this.#check();
    return this.#stores.rows.read(this.slot.target, keys);
  }

  list(range: RowRange): MaybePromise<readonly Row[]> {
    this.#check();
    return this.#stores.rows.list(this.slot.target, range);
  }

  commit(source: BatchSource): void {
    this.#stores.committer.commit(this.slot, source);
  }

  /** No batch is taken, but a refused one, until what it returns is called. */
  hold(): () => void {
    this.slot.holds += 1;
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      this.slot.holds -= 1;
      this.#stores.committer.resume(this.slot);
    };
  }

  /** Batches that weren't taken yet fail with `error`. */
  refuse(error: TroupeError): void {
    this.slot.refusal ??= error;
    this.#stores.committer.resume(this.slot);
  }

  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    this.refuse(storageErrors.closed());
    // Whoever is opened before all of it has ended has to know of it.
    for (const slot of this.unsettled) await slot.settled();
    this.#stores.closed(this.#actorId, this);
  }

  #check(): void {
    if (this.slot.refusal !== undefined) throw this.slot.refusal;
  }
}
