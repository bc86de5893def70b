/** Work on events behind the turn that emitted them. */

/** Who works on events. */
export interface Worker {
  /** True while it has begun with one and isn't done with it. */
  readonly isBusy: boolean;
}

/** Runs a task in a macrotask, outside of every scope, as the work of `worker`. */
export type Later = (worker: Worker, task: () => void) => void;
