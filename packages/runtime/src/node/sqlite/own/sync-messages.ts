/** What a thread that syncs actors' own files is asked and answers. */

/** A descriptor to sync. `end`: the log is never shorter than this, bytes. */
export type SyncJob =
  | { readonly kind: "log"; readonly fd: number; readonly end: number }
  | { readonly kind: "file"; readonly fd: number }
  | { readonly kind: "directory"; readonly fd: number };

/** Syncs, in order. */
export interface SyncRequest {
  readonly jobs: readonly SyncJob[];
}

/** What went wrong with each, if anything. */
export interface SyncAnswer {
  readonly errors: readonly (string | undefined)[];
}
