/** Files and commands, for callers. */
import {
  type FileContent,
  readdirRecursive,
  readFiles,
  type TreeOptions,
  writeFiles,
} from "../sandbox/batch.ts";
import type { ExportOptions } from "../sandbox/checked-sandbox.ts";
import type { ExecOptions } from "../sandbox/sandbox.ts";
import type { Place } from "./place.ts";

/** What is done in the sandbox. */
export const sandboxActions = {
  /** Runs a command line in the sandbox's shell. */
  exec: (c: Place, command: string, options?: ExecOptions) => c.vars.sandbox.exec(command, options),
  readFile: (c: Place, path: string) => c.vars.sandbox.readFile(path),
  /** Writes text as UTF-8, or bytes; makes the directories above. */
  writeFile: (c: Place, path: string, content: string | Uint8Array) =>
    c.vars.sandbox.writeFile(path, content),
  /** Several files; one that can't be read has an `error`. */
  readFiles: (c: Place, paths: readonly string[]) => readFiles(c.vars.sandbox, paths),
  writeFiles: (c: Place, entries: readonly FileContent[]) => writeFiles(c.vars.sandbox, entries),
  stat: (c: Place, path: string) => c.vars.sandbox.stat(path),
  exists: (c: Place, path: string) => c.vars.sandbox.exists(path),
  readdir: (c: Place, path: string) => c.vars.sandbox.readdir(path),
  /** All that is below a directory. */
  readdirRecursive: (c: Place, path: string, options?: TreeOptions) =>
    readdirRecursive(c.vars.sandbox, path, options),
  mkdir: (c: Place, path: string, options?: { recursive?: boolean }) => c.vars.sandbox.mkdir(path, options),
  move: (c: Place, from: string, to: string) => c.vars.sandbox.move(from, to),
  remove: (c: Place, path: string, options?: { recursive?: boolean }) => c.vars.sandbox.remove(path, options),
  /** All files as a tar: what differs from an empty sandbox. */
  exportRootFilesystem: (c: Place, options?: ExportOptions) => c.vars.sandbox.export(options),
  /** These files take the place of all that there were; all or nothing. */
  importRootFilesystem: (c: Place, archive: Uint8Array) => c.vars.sandbox.import(archive),
};
