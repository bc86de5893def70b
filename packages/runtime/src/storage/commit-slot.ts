/**
 * CommitSlot: one writer's place in a group committer, made once per activation so that a commit allocates nothing.
 *
 * Only the committer touches the fields in the second half; everyone else refuses, asks, and waits.
 */
import type { TroupeError } from "@troupe/base";
import type { Batch, BatchSource } from "../ports/storage.ts";
import type { Write } from "./commit-file.ts";

/** A batch without anything in it. */
export const EMPTY_BATCH: Batch = { rows: [] };

/** A writer's place in a committer. */
export class CommitSlot<Target> implements Write<Target> {
  readonly target: Target;
  /** True: the write is an operation of the driver's own, done even when its batch holds no row. */
  readonly operation: boolean;
  /** Set when the activation was closed or fenced: batches that were not taken yet are refused with it. */
  refusal: TroupeError | undefined;

  /** While there are any its batch is not to be taken, unless it is refused. */
  holds = 0;
  /** A round went without it because of that. */
  passedOver = false;

  /** The batch that is being written; empty at all other times. */
  batch: Batch = EMPTY_BATCH;
  /** What will be asked for its batch in the next round; absent when the slot isn't in the ready list. */
  ready: BatchSource | undefined;
  #unsettled = 0;
  #whenSettled: (() => void)[] | undefined;

  constructor(target: Target, kind: "rows" | "operation" = "rows") {
    this.target = target;
    this.operation = kind === "operation";
  }

  /** True when a round must go without it. */
  get held(): boolean {
    return this.holds > 0 && this.refusal === undefined;
  }

  /** True while a batch of this slot waits to be taken, or was taken and nobody was told yet. */
  get busy(): boolean {
    return this.#unsettled > 0 || this.ready !== undefined;
  }

  /** Settles when every batch that was taken or promised is settled. */
  settled(): Promise<void> {
    if (!this.busy) return Promise.resolve();
    return new Promise((resolve) => {
      this.#whenSettled ??= [];
      this.#whenSettled.push(resolve);
    });
  }

  /** The committer took a batch. */
  taken(): void {
    this.#unsettled += 1;
  }

  /** The committer told the source what became of its oldest batch. */
  told(): void {
    this.#unsettled -= 1;
    if (this.#whenSettled === undefined || this.busy) return;
    const waiting = this.#whenSettled;
    this.#whenSettled = undefined;
    for (const resolve of waiting) resolve();
  }
}
