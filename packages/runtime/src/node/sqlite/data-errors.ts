/** Errors of a data directory and its disk. */
import type { TroupeError } from "@troupe/base";
import { error } from "../../new-error.ts";

/** They name paths of the server: for its log, and for whoever starts it. A caller gets what {@link forCallers} makes of them. */
export const dataErrors = {
  locked: (owner: string) =>
    error(409, "storage", "locked", `The data directory is in use by ${owner}`, {
      public: false,
      metadata: { owner },
    }),
  readOnly: (path: string, cause: unknown) =>
    error(500, "storage", "read_only", `Can't write to the data directory ${path}`, {
      public: false,
      cause,
      metadata: { path },
    }),
  notADirectory: (path: string) =>
    error(400, "storage", "not_a_directory", `The data directory ${path} is, or is in, a file`, {
      public: false,
      metadata: { path },
    }),
  newer: (path: string, found: number, supported: number) =>
    error(
      500,
      "storage",
      "newer_layout",
      `${path} was written by a newer Troupe (layout ${found}; this one knows ${supported})`,
      {
        public: false,
        metadata: { path, found, supported },
      },
    ),
  diskFull: (path: string, cause: unknown) =>
    error(507, "storage", "disk_full", `No space is left on the disk of ${path}`, {
      public: false,
      cause,
      metadata: { path },
    }),
  openFailed: (path: string, cause: unknown) =>
    error(500, "storage", "open_failed", `Can't open ${path}`, { public: false, cause, metadata: { path } }),
  diskFailed: (path: string, cause: unknown) =>
    error(500, "storage", "disk_failed", `Nothing that is written to ${path} can be made durable any more`, {
      public: false,
      cause,
      metadata: { path },
    }),
  notLost: (id: string, why: string) =>
    error(409, "storage", "not_lost", `Actor ${id} isn't lost: ${why}`, { public: false, metadata: { id } }),
  unsupported: (what: string) =>
    error(500, "storage", "unsupported_platform", `node:sqlite lacks ${what}: Troupe needs Node 24 or newer`),
};

/** What callers are told instead of errors that name paths, by code. */
const forCallersByCode: ReadonlyMap<string, string> = new Map([
  [
    "corrupt",
    "This actor's data on disk is damaged, and calling again won't help: restore it from a backup (docs/backup.md). The server's log names the file",
  ],
  ["newer_layout", "This actor's data was written by a newer Troupe: run that version on the server"],
  ["disk_full", "No space is left on the server's disk: make room there"],
  ["disk_failed", "The server's disk has failed: its log says more"],
  ["read_only", "The server can't write its data: its log says why"],
  ["open_failed", "The server can't open or read this actor's data: its log says why"],
]);

/** The same error for somebody who called an actor: the code, and what to do, but no path. The log has it as the cause. */
export function forCallers(cause: TroupeError): TroupeError {
  const message = cause.group === "storage" && !cause.public ? forCallersByCode.get(cause.code) : undefined;
  return message === undefined ? cause : error(cause.statusCode, "storage", cause.code, message, { cause });
}
