/** What embedded sandboxes may use. */

/** Of one driver's sandboxes. */
export interface EmbeddedBounds {
  /** What each worker may hold in memory beyond one that has no work, and so each command, process and line. */
  readonly memoryBytes: number;
  /** All files of one sandbox. */
  readonly fileBytes: number;
  /** Paths of one sandbox that are kept. */
  readonly files: number;
  /** Of one command, process or line; undefined: no end. */
  readonly cpuSeconds: number | undefined;
}
