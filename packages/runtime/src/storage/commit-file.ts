/**
 * CommitFile: the small contract for whoever brings a file format. `GroupCommitter` does the rest.
 *
 * One CommitFile is one transaction domain: actors whose batches can end in one transaction with one sync. What a
 * write is for (an actor's rows, a new row of the directory) is the driver's own business: its `Target`.
 */
import type { Batch } from "../ports/storage.ts";

/** One batch and what it is for. Only good while `write` runs: the committer uses the object again. */
export interface Write<Target> {
  readonly target: Target;
  readonly batch: Batch;
}

/**
 * What a sync fails with when its round alone has failed: the file goes on. `unknown`: it may be there, and may not.
 */
export class RoundFailed extends Error {
  readonly applied: "no" | "unknown";

  constructor(applied: "no" | "unknown", cause: unknown) {
    super("the round failed", { cause });
    this.applied = applied;
  }
}

/** A file, as the committer sees it. */
export interface CommitFile<Target> {
  /** Writes all batches in one transaction, in order. When it throws, none of them is there. */
  write(writes: readonly Write<Target>[]): void;
  /**
   * Makes durable what was written before this call, then calls back, once, in a macrotask of `Env.afterTurn`'s kind.
   * At most one sync runs at a time, nothing is written meanwhile, and it doesn't throw. An error is final, but for
   * {@link RoundFailed}: nobody knows what the disk holds, and the file is not written to again.
   *
   * A file that is written to elsewhere may only begin in `write`, and end here.
   */
  sync(done: (error?: unknown) => void): void;
}
