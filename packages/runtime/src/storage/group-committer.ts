/**
 * GroupCommitter: many actors, one transaction, one sync.
 *
 * Sources that have something to commit wait in `#ready`. When no sync runs, all of them are taken in one macrotask,
 * written in one transaction, and synced; whoever becomes ready meanwhile waits for the next round, so a slow disk
 * makes rounds larger, never the queue of rounds longer. When a sync ends, the next round is written and its sync
 * started before the finished round is told: the disk works while outputs are sent.
 *
 *   idle ──commit──▶ scheduled ──afterTurn──▶ syncing ──done──▶ syncing (more is ready) or idle
 *
 * Failures. `take` throws: that batch fails alone, nothing of it is stored. The transaction throws: it was rolled back,
 * and each batch is tried alone; those that fail alone fail (`applied: "no"`), their neighbours don't notice. The sync
 * fails: nobody knows what the disk holds, so every batch of the round, and every later one on this file, fails with
 * `applied: "unknown"` for those that were written, and `onBroken` ends the process.
 */
import { assert, type Env, TroupeError } from "@troupe/base";
import { storageErrors } from "../errors.ts";
import type { Generation } from "../ports/directory.ts";
import type { BatchSource, CommitOutcome } from "../ports/storage.ts";
import type { CommitFile, StoreBatch } from "./commit-file.ts";

/** One activation's place in the committer. Made once per activation, so that a commit allocates nothing for it. */
export class CommitSlot {
  readonly actorId: string;
  readonly generation: Generation;
  /** True while the slot waits in the ready list. */
  waiting = false;
  source: BatchSource | undefined;
  /** Set when the activation was closed or fenced: later commits are refused. */
  refusal: TroupeError | undefined;

  constructor(actorId: string, generation: Generation) {
    this.actorId = actorId;
    this.generation = generation;
  }
}

export interface GroupCommitterOptions {
  readonly env: Pick<Env, "afterTurn">;
  readonly file: CommitFile;
  /** The file is unusable: a sync failed. Called once, after every waiting batch was settled. */
  readonly onBroken: (cause: unknown) => void;
}

const DURABLE: CommitOutcome = { durable: true };

interface Round {
  readonly slots: BatchSource[];
  readonly batches: StoreBatch[];
}

export class GroupCommitter {
  readonly #env: Pick<Env, "afterTurn">;
  readonly #file: CommitFile;
  readonly #onBroken: (cause: unknown) => void;
  #ready: CommitSlot[] = [];
  #state: "idle" | "scheduled" | "syncing" | "broken" = "idle";
  #broken: unknown;
  #drained: (() => void)[] = [];

  constructor(options: GroupCommitterOptions) {
    this.#env = options.env;
    this.#file = options.file;
    this.#onBroken = options.onBroken;
  }

  /** Takes the slot's open batch in the next round. */
  commit(slot: CommitSlot, source: BatchSource): void {
    if (slot.waiting) return;
    slot.waiting = true;
    slot.source = source;
    this.#ready.push(slot);
    if (this.#state !== "idle" && this.#state !== "broken") return;
    if (this.#state === "idle") this.#state = "scheduled";
    this.#env.afterTurn(this.#round);
  }

  /** Settles when nothing waits and nothing is on its way to the disk. */
  drain(): Promise<void> {
    if (this.#state === "idle" || this.#state === "broken") return Promise.resolve();
    return new Promise((resolve) => this.#drained.push(resolve));
  }

  readonly #round = (): void => {
    if (this.#state === "broken") {
      this.#fail(this.#take().slots);
      return;
    }
    assert(this.#state === "scheduled", "a round starts when none runs");
    this.#write();
  };

  /** Writes what is ready and starts its sync. */
  #write(): void {
    const round = this.#take();
    const written = this.#store(round);
    if (round.batches.length === 0) {
      // Nothing reached the file (all batches were empty, or failed): what was written before is durable already.
      this.#state = "idle";
      for (const source of written) source.settled(DURABLE);
      this.#next();
      return;
    }
    this.#state = "syncing";
    this.#file.sync((error) => this.#synced(written, error));
  }

  #next(): void {
    if (this.#ready.length > 0 && this.#state === "idle") {
      this.#state = "scheduled";
      this.#env.afterTurn(this.#round);
      return;
    }
    if (this.#state === "idle") this.#settleDrains();
  }

  #synced(written: readonly BatchSource[], error: unknown): void {
    if (error !== undefined) {
      this.#break(written, error);
      return;
    }
    this.#state = "idle";
    if (this.#ready.length > 0) this.#write();
    for (const source of written) source.settled(DURABLE);
    this.#next();
  }

  #take(): Round {
    const ready = this.#ready;
    this.#ready = [];
    const round: Round = { slots: [], batches: [] };
    for (const slot of ready) {
      slot.waiting = false;
      const source = slot.source;
      assert(source !== undefined, "a waiting slot has a source");
      try {
        const batch = source.take();
        if (slot.refusal !== undefined) throw slot.refusal;
        round.slots.push(source);
        round.batches.push({ ...batch, actorId: slot.actorId, generation: slot.generation });
      } catch (cause) {
        source.settled(failure("no", cause));
      }
    }
    return round;
  }

  /** Leaves in `round.batches` what reached the file; returns the sources to be told of the sync. */
  #store(round: Round): BatchSource[] {
    const { slots, batches } = round;
    const empty = batches.every(isEmpty);
    if (empty) {
      batches.length = 0;
      return slots;
    }
    try {
      this.#file.write(batches);
      return slots;
    } catch {
      return this.#storeOneByOne(round);
    }
  }

  #storeOneByOne(round: Round): BatchSource[] {
    const survivors: BatchSource[] = [];
    const stored: StoreBatch[] = [];
    for (const [index, batch] of round.batches.entries()) {
      const source = round.slots[index];
      assert(source !== undefined, "each batch has its source");
      try {
        if (!isEmpty(batch)) {
          this.#file.write([batch]);
          stored.push(batch);
        }
        survivors.push(source);
      } catch (cause) {
        source.settled(failure("no", cause));
      }
    }
    round.batches.length = 0;
    round.batches.push(...stored);
    return survivors;
  }

  #break(written: readonly BatchSource[], cause: unknown): void {
    this.#state = "broken";
    this.#broken = cause;
    const outcome = failure("unknown", cause);
    for (const source of written) source.settled(outcome);
    this.#fail(this.#take().slots);
    this.#settleDrains();
    this.#onBroken(cause);
  }

  #fail(sources: readonly BatchSource[]): void {
    const outcome = failure("no", this.#broken);
    for (const source of sources) source.settled(outcome);
  }

  #settleDrains(): void {
    const drained = this.#drained;
    this.#drained = [];
    for (const resolve of drained) resolve();
  }
}

function isEmpty(batch: StoreBatch): boolean {
  return batch.rows.length === 0 && batch.alarm === undefined;
}

function failure(applied: "no" | "unknown", cause: unknown): CommitOutcome {
  const error = TroupeError.is(cause) ? cause : storageErrors.commitFailed(applied, cause);
  return { durable: false, applied, error };
}
