/** Errors of pins. */
import { TroupeError } from "@troupe/base";

/** What a plugin's files are is for whoever installs it, and for no caller. */
function hidden(code: string, message: string, metadata: Readonly<Record<string, unknown>>): TroupeError {
  return new TroupeError("plugin", code, message, { statusCode: 502, public: false, metadata });
}

/** Errors of pins. */
export const pinErrors = {
  mismatch: (id: string, what: string, digests: { expected: string; found: string }) =>
    hidden(
      "pin_mismatch",
      `Plugin ${id}: ${what} isn't what was pinned: its SHA-256 is ${digests.found}, and pinned is ${digests.expected}. Whoever changed it on purpose pins it anew: troupe plugins pin ${id}`,
      { plugin: id, what, ...digests },
    ),
  tooManyFiles: (id: string, folder: string, most: number) =>
    hidden(
      "too_many_files",
      `Plugin ${id}: ${folder} has more than ${most} files of code, which can't be pinned. Name those that run in its manifest, under integrity`,
      { plugin: id, folder, most },
    ),
};
