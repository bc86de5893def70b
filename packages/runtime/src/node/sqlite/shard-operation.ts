/**
 * ShardOperation: what a shard writes for itself (a create, a destroy, a sweep), on its way to the disk.
 *
 * Each creation makes one, so it is one object with one promise. A create that failed says so on its actor before
 * anybody hears of it: nothing of that actor is written then.
 */
import type { Batch, BatchSource, CommitOutcome } from "../../ports/storage.ts";
import { EMPTY_BATCH } from "../../storage/commit-slot.ts";
import type { ShardActor, ShardTarget } from "./shard-target.ts";

/** Which actor an operation makes or ends. */
export interface OperationSubject {
  readonly address: string;
  readonly id: string;
}

/** An operation of a shard's own, until it is settled. */
export class ShardOperation implements BatchSource {
  readonly target: ShardTarget;
  readonly subject: OperationSubject | undefined;
  readonly #onEnd: (operation: ShardOperation) => void;
  readonly #end = Promise.withResolvers<void>();

  /** `onEnd` is called when the outcome is known, before anybody who waits hears of it. */
  constructor(
    target: ShardTarget,
    subject: OperationSubject | undefined,
    onEnd: (operation: ShardOperation) => void,
  ) {
    this.target = target;
    this.subject = subject;
    this.#onEnd = onEnd;
  }

  /** Settles when the operation is durable; rejects with `storage.commit_failed`. Nobody has to listen. */
  get durable(): Promise<void> {
    return this.#end.promise;
  }

  /** The actor that is being created. */
  get created(): ShardActor | undefined {
    return this.target.kind === "create" ? this.target.actor : undefined;
  }

  /** Settles when the outcome is known. Never rejects. */
  async over(): Promise<void> {
    await this.durable.catch(() => {});
  }

  take(): Batch {
    return EMPTY_BATCH;
  }

  settled(outcome: CommitOutcome): void {
    if (!outcome.durable && this.target.kind === "create") this.target.actor.failure ??= outcome.error;
    this.#onEnd(this);
    if (outcome.durable) {
      this.#end.resolve();
      return;
    }
    this.#end.promise.catch(() => {});
    this.#end.reject(outcome.error);
  }
}
