/**
 * Errors of granted folders. The API is that of `node:fs/promises`, and so are the codes: the system's names, which code that was
 * written for it looks at.
 */
import { getSystemErrorMessage } from "node:util";
import { TroupeError, type TroupeErrorOptions } from "@troupe/base";

function error(code: string, path: string, why: string, options: TroupeErrorOptions = {}): TroupeError {
  return new TroupeError("files", code, `${code}: ${why}, '${path}'`, { metadata: { path }, ...options });
}

/** Group `files`. Paths are the source's own: it isn't told where a folder is on this machine. */
export const fileErrors = {
  denied: (path: string) =>
    error("EACCES", path, "it is in no folder that is granted (`files`)", { statusCode: 403 }),
  /** Relative ones begin at "/": what isn't text of a name at all. */
  badPath: (path: string) =>
    error("EINVAL", path, "it is no path: text without null bytes, in whole characters"),
  pathTooLong: (path: string) => error("ENAMETOOLONG", path.slice(0, 64), "the path is too long or too deep"),
  readOnly: (path: string) =>
    error("EROFS", path, 'it is granted for reading (`mode: "read-write"` is for writing)', {
      statusCode: 403,
    }),
  link: (path: string) => error("ELOOP", path, "there is a link, and none is followed"),
  special: (path: string) => error("EINVAL", path, "it is neither a file nor a folder"),
  isFolder: (path: string) => error("EISDIR", path, "it is a folder"),
  notFolder: (path: string) => error("ENOTDIR", path, "it isn't a folder"),
  root: (path: string) => error("EBUSY", path, "it is what is granted itself"),
  tooLong: (path: string, limit: number) =>
    error("EFBIG", path, `a file has at most ${limit} bytes here`, { metadata: { path, limit } }),
  tooMany: (path: string, limit: number) =>
    error("EFBIG", path, `a folder of more than ${limit} entries isn't listed`, {
      metadata: { path, limit },
    }),
  tooDeep: (path: string) => error("ENAMETOOLONG", path, "the folders in it are too deep"),
  /** The program's affair: callers outside aren't told, and the log is. */
  unopened: (path: string, cause: unknown) =>
    error("ENODEV", path, "the folder that is granted there can't be opened", { cause, public: false }),
};

/** What the system says of a path, without where that is on this machine. Others are returned as they are. */
export function failureOf(path: string, cause: unknown): unknown {
  if (TroupeError.is(cause) || !(cause instanceof Error)) return cause;
  const { code, errno } = cause as NodeJS.ErrnoException;
  if (typeof code !== "string" || typeof errno !== "number") return cause;
  return error(code, path, getSystemErrorMessage(errno), { cause });
}

/** The system's name of what failed: "ENOENT". */
export function codeOf(cause: unknown): string | undefined {
  return cause instanceof Error && "code" in cause ? String(cause.code) : undefined;
}
