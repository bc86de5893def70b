import { TroupeError } from "./error.ts";

/**
 * What an entry point throws that isn't there any more, or is called otherwise here: `package.moved`, with what to use instead, in
 * words for people, and the entry to import, where there is one.
 */
export function packageMoved(entry: string, use: string, importFrom?: string): TroupeError {
  return new TroupeError("package", "moved", `There is no entry ${entry}: use ${use}`, {
    statusCode: 500,
    metadata: { entry, use, ...(importFrom === undefined ? {} : { importFrom }) },
  });
}
