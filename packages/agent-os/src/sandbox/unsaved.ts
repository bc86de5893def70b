/**
 * Unsaved: what of a sandbox's files isn't stored, because it can't be. It is there for whoever works inside, ends with the sandbox, and holds
 * nothing else up; of such a path the store keeps what it had. Whoever hears how a command ended is told, and so are all listeners.
 */
import type { TroupeError } from "@troupe/base";
import { sandboxErrors } from "../errors.ts";

/**
 * Why it can't be. `EILSEQ`: its name, or what it leads to, isn't UTF-8, and so all below it; `ENAMETOOLONG`: it is too deep to have a path;
 * `EDQUOT`: there is more than may be stored, and this is the largest of what changed, or "/", all of it.
 */
export type UnsavedCode = "EILSEQ" | "ENAMETOOLONG" | "EDQUOT";

/** A path that isn't stored as it is. */
export interface UnsavedPath {
  /** What isn't UTF-8 in it is shown as U+FFFD. */
  readonly path: string;
  readonly code: UnsavedCode;
}

/** What a listener of `filesUnsaved` gets: all of it, the first hundred. None: everything is saved again. */
export interface FilesUnsaved {
  readonly unsaved: readonly UnsavedPath[];
}

const reasons: Readonly<Record<UnsavedCode, string>> = {
  EILSEQ: "its name or target isn't UTF-8",
  ENAMETOOLONG: "its path is too long",
  EDQUOT: "it is more than may be stored: remove some, with rm or remove()",
};

/** One of these codes, or undefined. */
export function unsavedCodeOf(value: unknown): UnsavedCode | undefined {
  return value === "EILSEQ" || value === "ENAMETOOLONG" || value === "EDQUOT" ? value : undefined;
}

/** For who reads what a command printed, and no fields. */
export function unsavedLine(unsaved: readonly UnsavedPath[]): string {
  const named = unsaved.map(({ path, code }) => `'${path}' (${code}: ${reasons[code]})`);
  return `troupe: not saved, and gone when the sandbox ends: ${named.join(", ")}\n`;
}

/** For who needs that it is. */
export function notSaved({ path, code }: UnsavedPath): TroupeError {
  return sandboxErrors.fileFailed(code, `${code}: '${path}' isn't saved: ${reasons[code]}`);
}
