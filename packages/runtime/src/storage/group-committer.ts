/**
 * GroupCommitter: many actors, one transaction, one sync.
 *
 * Slots that have something to commit wait in `#ready`. When no sync runs, all of them are taken in one macrotask,
 * written in one transaction, and synced; whoever becomes ready meanwhile waits for the next round, so a slow disk
 * makes rounds larger, never the queue of rounds longer. When a sync ends, its round is told first, and the next one
 * begins a macrotask later, with all that has become ready by then: few large rounds cost less than many small ones.
 *
 *   idle ──commit──▶ scheduled ──afterTurn──▶ syncing ──done──▶ scheduled (more is ready) or idle
 *
 * Who answers from another thread brings its next batch a moment later than that. Its callers and those who became ready
 * meanwhile would be two halves that never meet, each waiting for the other's sync. So a round that has more behind it
 * asks those whom it told whether something is on its way (`BatchSource.soon`), and waits for that once.
 *
 * A slot that is held (its actor is in a transaction of SQL) isn't taken: rounds go without it until it is let go.
 *
 * Order. A source hears of its batches in the order in which they were taken: a slot has at most one batch in a round,
 * and a round is told whole before the next one is taken.
 *
 * Failures. `take` throws: that batch fails alone, nothing of it is stored. The transaction throws: it was rolled back,
 * and each batch is tried alone; those that fail alone fail (`applied: "no"`), their neighbours don't notice. The sync
 * fails: nobody knows what the disk holds, so every batch of the round fails with `applied: "unknown"`, everything
 * later on this file with `applied: "no"`, and `onBroken` ends the process. Nothing recovers a broken committer. A file
 * that is in another process may lose it instead (`RoundFailed`): its round fails, and the next one is tried as ever.
 */
import type { Env } from "@troupe/base";
import type { BatchSource, CommitOutcome } from "../ports/storage.ts";
import type { CommitFigures } from "./commit-figures.ts";
import { type CommitFile, RoundFailed } from "./commit-file.ts";
import { type CommitSlot, EMPTY_BATCH } from "./commit-slot.ts";
import { notDurable } from "./not-durable.ts";

/** What a committer is made of. */
export interface GroupCommitterOptions<Target> {
  readonly env: Pick<Env, "afterTurn">;
  readonly file: CommitFile<Target>;
  /** Told of each round that became durable. */
  readonly figures?: CommitFigures | undefined;
  /** The file is unusable: a sync failed. Called once, after every batch that waited was settled. */
  readonly onBroken: (cause: unknown) => void;
}

const DURABLE: CommitOutcome = { durable: true };

interface Failed<Target> {
  readonly slot: CommitSlot<Target>;
  readonly source: BatchSource;
  readonly outcome: CommitOutcome;
}

/** What was taken together. `slots[i]` and `sources[i]` belong together and share the round's outcome. */
class Round<Target> {
  slots: CommitSlot<Target>[] = [];
  sources: BatchSource[] = [];
  /** Those that failed alone before the sync. */
  failed: Failed<Target>[] | undefined;
  /** Something of it reached the file, and a sync is needed. */
  written = false;
  /** When its write began, milliseconds of the clock that never goes back. */
  since = 0;
}

/** Commits the batches of many writers together. */
export class GroupCommitter<Target> {
  readonly #env: Pick<Env, "afterTurn">;
  readonly #file: CommitFile<Target>;
  readonly #figures: CommitFigures | undefined;
  readonly #onBroken: (cause: unknown) => void;
  #ready: CommitSlot<Target>[] = [];
  #scheduled = false;
  #syncing: Round<Target> | undefined;
  #broken: { readonly cause: unknown } | undefined;
  #whenIdle: (() => void)[] = [];

  constructor(options: GroupCommitterOptions<Target>) {
    this.#env = options.env;
    this.#file = options.file;
    this.#figures = options.figures;
    this.#onBroken = options.onBroken;
  }

  /** Takes the open batch of `source` in the next round. Saying it again before then does nothing. */
  commit(slot: CommitSlot<Target>, source: BatchSource): void {
    if (slot.ready !== undefined) return;
    slot.ready = source;
    this.#ready.push(slot);
    if (this.#syncing === undefined && !this.#scheduled) this.#schedule();
  }

  /** The slot may be held no longer: what a round went without is taken in the next one. */
  resume(slot: CommitSlot<Target>): void {
    if (slot.held || !slot.passedOver) return;
    slot.passedOver = false;
    this.#ready.push(slot);
    if (this.#syncing === undefined && !this.#scheduled) this.#schedule();
  }

  /** True from a failed sync on: no batch can become durable any more. */
  get broken(): boolean {
    return this.#broken !== undefined;
  }

  /** Settles when nothing waits and nothing is on its way to the disk. */
  drain(): Promise<void> {
    if (this.#idle()) return Promise.resolve();
    return new Promise((resolve) => this.#whenIdle.push(resolve));
  }

  #idle(): boolean {
    return this.#syncing === undefined && !this.#scheduled && this.#ready.length === 0;
  }

  #schedule(): void {
    this.#scheduled = true;
    this.#env.afterTurn(this.#turnEnded);
  }

  /** Behind a round that was told: with what comes of that in a moment. */
  #scheduleBehind({ sources }: Round<Target>): void {
    this.#scheduled = true;
    this.#env.afterTurn(() => {
      const coming = new Set<Promise<void>>();
      for (const source of sources) {
        const soon = source.soon?.();
        if (soon !== undefined) coming.add(soon);
      }
      if (coming.size === 0) this.#turnEnded();
      else void Promise.all(coming).then(() => this.#schedule());
    });
  }

  readonly #turnEnded = (): void => {
    this.#scheduled = false;
    if (this.#broken !== undefined) this.#refuse(this.#broken.cause);
    else this.#tellEarly(this.#start());
    this.#rest();
  };

  readonly #synced = (error?: unknown): void => {
    const round = this.#syncing;
    if (round === undefined) return;
    this.#syncing = undefined;
    if (error !== undefined && !(error instanceof RoundFailed)) {
      this.#break(round, error);
      return;
    }
    if (error === undefined) this.#figures?.note(round.since, round.slots.length);
    this.#tell(round, error === undefined ? DURABLE : notDurable(error.applied, error.cause));
    // Not at once: what the answers bring about, and what came in meanwhile, goes with the next round.
    if (this.#ready.length > 0 && !this.#scheduled) this.#scheduleBehind(round);
    this.#rest();
  };

  /** Takes all that is ready, writes it, and starts its sync. Tells nobody. */
  #start(): Round<Target> {
    const round = this.#take();
    round.since = this.#figures?.now() ?? 0;
    this.#write(round);
    if (round.written) {
      this.#syncing = round;
      this.#file.sync(this.#synced);
    }
    return round;
  }

  #take(): Round<Target> {
    const ready = this.#ready;
    this.#ready = [];
    const round = new Round<Target>();
    for (const slot of ready) {
      const source = slot.ready;
      if (source === undefined) continue;
      if (slot.held) {
        slot.passedOver = true;
        continue;
      }
      slot.ready = undefined;
      slot.taken();
      try {
        slot.batch = source.take();
        if (slot.refusal !== undefined) throw slot.refusal;
        round.slots.push(slot);
        round.sources.push(source);
      } catch (cause) {
        slot.batch = EMPTY_BATCH;
        fail(round, slot, source, cause);
      }
    }
    return round;
  }

  #write(round: Round<Target>): void {
    const { slots } = round;
    const full = slots.every(needsWrite) ? slots : slots.filter(needsWrite);
    if (full.length === 0) return;
    try {
      this.#file.write(full);
      round.written = true;
    } catch (cause) {
      this.#writeAlone(round, full.length === 1 ? { cause } : undefined);
    }
    for (const slot of slots) slot.batch = EMPTY_BATCH;
  }

  /** The group was rolled back. `verdict`: it had one batch, which has thereby been tried alone already. */
  #writeAlone(round: Round<Target>, verdict: { readonly cause: unknown } | undefined): void {
    const { slots, sources } = round;
    round.slots = [];
    round.sources = [];
    for (const [index, slot] of slots.entries()) {
      const source = sources[index];
      if (source === undefined) continue;
      try {
        if (needsWrite(slot)) {
          if (verdict !== undefined) throw verdict.cause;
          this.#file.write([slot]);
          round.written = true;
        }
        round.slots.push(slot);
        round.sources.push(source);
      } catch (cause) {
        slot.batch = EMPTY_BATCH;
        fail(round, slot, source, cause);
      }
    }
  }

  /** Tells of a round what is known before its sync: failures, and all of it when nothing needs the sync. */
  #tellEarly(round: Round<Target>): void {
    if (round.failed !== undefined) {
      for (const { slot, source, outcome } of round.failed) this.#settle(slot, source, outcome);
    }
    if (!round.written) this.#tell(round, DURABLE);
  }

  #tell(round: Round<Target>, outcome: CommitOutcome): void {
    const { slots, sources } = round;
    for (let index = 0; index < slots.length; index += 1) {
      const slot = slots[index];
      const source = sources[index];
      if (slot !== undefined && source !== undefined) this.#settle(slot, source, outcome);
    }
  }

  /** An error of one source's own is a bug, but must not keep its neighbours from hearing. */
  #settle(slot: CommitSlot<Target>, source: BatchSource, outcome: CommitOutcome): void {
    try {
      source.settled(outcome);
    } catch (error) {
      this.#env.afterTurn(() => {
        throw error;
      });
    }
    slot.told();
  }

  #break(round: Round<Target>, cause: unknown): void {
    this.#broken = { cause };
    this.#tell(round, notDurable("unknown", cause));
    this.#refuse(cause);
    this.#rest();
    this.#onBroken(cause);
  }

  /** Fails all that is ready without a write. */
  #refuse(cause: unknown): void {
    const round = this.#take();
    this.#tell(round, notDurable("no", cause));
    if (round.failed === undefined) return;
    for (const { slot, source, outcome } of round.failed) this.#settle(slot, source, outcome);
  }

  #rest(): void {
    if (this.#whenIdle.length === 0 || !this.#idle()) return;
    const waiting = this.#whenIdle;
    this.#whenIdle = [];
    for (const resolve of waiting) resolve();
  }
}

function needsWrite(slot: CommitSlot<unknown>): boolean {
  return slot.operation || slot.batch.rows.length > 0 || slot.batch.alarm !== undefined;
}

function fail<Target>(
  round: Round<Target>,
  slot: CommitSlot<Target>,
  source: BatchSource,
  cause: unknown,
): void {
  round.failed ??= [];
  round.failed.push({ slot, source, outcome: notDurable("no", cause) });
}
