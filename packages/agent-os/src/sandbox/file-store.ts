/**
 * FileStore: the port to where a sandbox's files outlive it.
 *
 * A driver that takes one begins with what it has loaded, and an operation has succeeded when what it changed is saved: what
 * a caller was told is there after a sleep and after a crash. What can't be saved has not happened.
 */

/** One path of an image. */
export type ImageEntry =
  | {
      readonly type: "file";
      readonly content: Uint8Array;
      readonly mode: number;
      readonly modifiedAt: number;
    }
  | { readonly type: "directory"; readonly mode: number; readonly modifiedAt: number }
  | { readonly type: "symlink"; readonly target: string }
  /**
   * It is no more. `given`: an empty sandbox has it, so that the removal must be remembered, until something else is at this very path: with
   * a file above it there is nothing below that, and with a directory again what was removed stays so.
   */
  | { readonly type: "removed"; readonly given: boolean };

/** Changed paths, parents before what they contain. */
export type ImageChanges = readonly (readonly [path: string, entry: ImageEntry])[];

/** Where files outlive their sandbox. */
export interface FileStore {
  /** All of it, as the difference to an empty sandbox. */
  load(): Promise<ImageChanges>;
  /** Stores what changed, all or nothing. */
  save(changes: ImageChanges): Promise<void>;
}
