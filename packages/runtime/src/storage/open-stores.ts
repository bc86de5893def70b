/**
 * OpenStores: the activations that may commit now, and the fence between them.
 *
 * An actor has at most one open store. Opening it for a newer generation refuses everything that the older one has not
 * given away yet, and the newer one reads only when what the older one had given away is settled: a new activation
 * never acts on rows that a power cut could take back. An actor that sleeps has no entry.
 */
import { storageErrors } from "../errors.ts";
import type { Generation } from "../ports/directory.ts";
import type { ActorStore, BatchSource, Row } from "../ports/storage.ts";
import { CommitSlot } from "./commit-slot.ts";
import type { GroupCommitter } from "./group-committer.ts";

/** How a store is opened. */
export interface OpenOptions<Target> {
  readonly actorId: string;
  readonly generation: Generation;
  readonly target: Target;
  /** All rows of the actor, as they are in the file now. */
  readonly load: (target: Target) => readonly Row[];
}

/** The open stores of one file, and who of an actor's may commit. */
export class OpenStores<Target> {
  readonly #committer: GroupCommitter<Target>;
  readonly #open = new Map<string, SlotStore<Target>>();

  constructor(committer: GroupCommitter<Target>) {
    this.#committer = committer;
  }

  /** Throws `storage.fenced` when this generation or a newer one is open. */
  open(options: OpenOptions<Target>): ActorStore {
    const { actorId, generation } = options;
    const older = this.#open.get(actorId);
    if (older !== undefined) {
      if (older.generation >= generation && !older.closed) throw storageErrors.fenced(actorId);
      older.slot.refusal ??= storageErrors.fenced(actorId);
    }
    const store = new SlotStore(
      options,
      this.#committer,
      older?.slot.busy ? older.slot : undefined,
      this.#open,
    );
    this.#open.set(actorId, store);
    return store;
  }

  /** From now on nobody commits for this actor. */
  fence(actorId: string): void {
    const store = this.#open.get(actorId);
    if (store !== undefined) store.slot.refusal ??= storageErrors.fenced(actorId);
  }

  /** From now on nobody commits at all: the files are about to go. */
  refuseAll(): void {
    for (const store of this.#open.values()) store.slot.refusal ??= storageErrors.closed();
  }
}

class SlotStore<Target> implements ActorStore {
  readonly slot: CommitSlot<Target>;
  readonly generation: Generation;
  closed = false;
  readonly #actorId: string;
  readonly #committer: GroupCommitter<Target>;
  readonly #load: (target: Target) => readonly Row[];
  readonly #open: Map<string, SlotStore<Target>>;
  /** The writer before this one, while batches of its are on their way. */
  #predecessor: CommitSlot<Target> | undefined;

  constructor(
    options: OpenOptions<Target>,
    committer: GroupCommitter<Target>,
    predecessor: CommitSlot<Target> | undefined,
    open: Map<string, SlotStore<Target>>,
  ) {
    this.slot = new CommitSlot(options.target);
    this.generation = options.generation;
    this.#actorId = options.actorId;
    this.#load = options.load;
    this.#committer = committer;
    this.#predecessor = predecessor;
    this.#open = open;
  }

  async load(): Promise<readonly Row[]> {
    if (this.#predecessor !== undefined) {
      await this.#predecessor.settled();
      this.#predecessor = undefined;
    }
    if (this.slot.refusal !== undefined) throw this.slot.refusal;
    return this.#load(this.slot.target);
  }

  commit(source: BatchSource): void {
    this.#committer.commit(this.slot, source);
  }

  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    this.slot.refusal ??= storageErrors.closed();
    if (this.slot.busy) await this.slot.settled();
    if (this.#open.get(this.#actorId) === this) this.#open.delete(this.#actorId);
  }
}
