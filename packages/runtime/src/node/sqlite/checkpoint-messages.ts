/** What the checkpoint thread is asked and answers. */
export interface CheckpointRequest {
  readonly id: number;
  /** The database file. */
  readonly path: string;
  /**
   * `passive`: as much as goes without disturbing a writer. `truncate`: everything, and the log is emptied; only when
   * nobody writes. `close`: as `truncate`, then the thread's connection is closed. `forget`: closed only.
   */
  readonly kind: "passive" | "truncate" | "close" | "forget";
}

/** How a checkpoint went. Frames are pages in the log. */
export interface CheckpointResult {
  readonly frames: number;
  readonly checkpointed: number;
}

/** The answer to the request with the same id. */
export interface CheckpointAnswer {
  readonly id: number;
  readonly result?: CheckpointResult;
  readonly error?: string;
}
