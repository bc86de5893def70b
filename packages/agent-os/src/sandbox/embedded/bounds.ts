/** What embedded sandboxes may use. */

/** Of one driver's sandboxes. */
export interface EmbeddedBounds {
  /** The heap of each thread, and so of each command, process and line. */
  readonly memoryBytes: number;
  /** All files of one sandbox. */
  readonly fileBytes: number;
  /** Paths of one sandbox that are kept. */
  readonly files: number;
  /** Of one command, process or line; undefined: no end. */
  readonly cpuSeconds: number | undefined;
}
