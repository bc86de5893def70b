/**
 * CommitFile: the small contract for whoever brings a file format. `GroupCommitter` does the rest.
 *
 * One CommitFile is one transaction domain: actors whose batches can end in one transaction with one sync.
 */
import type { Generation } from "../ports/directory.ts";
import type { Batch } from "../ports/storage.ts";

export interface StoreBatch extends Batch {
  readonly actorId: string;
  readonly generation: Generation;
}

export interface CommitFile {
  /** Writes all batches in one transaction, in order. When it throws, none of them is there. */
  write(batches: readonly StoreBatch[]): void;
  /**
   * Makes durable what was written before this call, then calls back, once, in a macrotask. At most one sync runs at a
   * time. An error is final: nobody knows what the disk holds, and the file is not written to again.
   */
  sync(done: (error?: unknown) => void): void;
}
