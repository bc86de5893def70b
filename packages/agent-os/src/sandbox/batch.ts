/**
 * Several files at once: an entry each, of which some may fail without the others.
 */
import { TroupeError } from "@troupe/base";
import { limits } from "@troupe/protocol";
import { sandboxErrors } from "../errors.ts";
import type { CheckedSandbox } from "./checked-sandbox.ts";
import type { DirectoryEntry } from "./sandbox.ts";

/** A file that was read, or why not. */
export interface ReadFileResult {
  readonly path: string;
  readonly content: Uint8Array | null;
  /** `group.code: text`; undefined when it was read. */
  readonly error?: string;
}

/** A file that was written, or why not. */
export interface WriteFileResult {
  readonly path: string;
  readonly success: boolean;
  readonly error?: string;
}

/** A file to write. */
export interface FileContent {
  readonly path: string;
  readonly content: string | Uint8Array;
}

/** An entry somewhere below a directory. */
export interface TreeEntry extends DirectoryEntry {
  readonly path: string;
  /** `group.code: text`, of a directory that can't be read: nothing is told of what is in it. */
  readonly error?: string;
}

/** What `readdirRecursive` leaves out. */
export interface TreeOptions {
  /** 1 is the directory itself alone. Default: no end. */
  readonly maxDepth?: number;
  /** Names of entries that are left out, with all that is below them. */
  readonly exclude?: readonly string[];
}

/** Reads files, in order. Rejects with `sandbox.batch_too_large`. */
export async function readFiles(
  sandbox: CheckedSandbox,
  paths: readonly string[],
): Promise<ReadFileResult[]> {
  checkBatch("paths", paths);
  return await Promise.all(
    paths.map(async (path) => {
      try {
        return { path, content: await sandbox.readFile(path) };
      } catch (cause) {
        return { path, content: null, error: reason(cause) };
      }
    }),
  );
}

/** Writes files, in order, and makes the directories above them. Rejects with `sandbox.batch_too_large`. */
export async function writeFiles(
  sandbox: CheckedSandbox,
  files: readonly FileContent[],
): Promise<WriteFileResult[]> {
  checkBatch("entries", files);
  return await Promise.all(
    files.map(async (file) => {
      const path = file?.path;
      try {
        await sandbox.writeFile(path, file?.content);
        return { path, success: true };
      } catch (cause) {
        return { path, success: false, error: reason(cause) };
      }
    }),
  );
}

/** All that is below a directory, directories before what is in them. Rejects with `sandbox.batch_too_large`. */
export async function readdirRecursive(
  sandbox: CheckedSandbox,
  path: string,
  options: TreeOptions = {},
): Promise<TreeEntry[]> {
  const { maxDepth = Number.POSITIVE_INFINITY, exclude = [] } = options;
  const found: TreeEntry[] = [];
  const enter = async (directory: string, depth: number): Promise<void> => {
    const entries = (await sandbox.readdir(directory)).filter(({ name }) => !exclude.includes(name));
    for (const entry of entries) {
      const below = `${directory === "/" ? "" : directory}/${entry.name}`;
      const at = found.push({ ...entry, path: below }) - 1;
      if (found.length > limits.sandboxTreeEntries)
        throw sandboxErrors.batchTooLarge("the directory", limits.sandboxTreeEntries);
      if (entry.type !== "directory" || depth >= maxDepth) continue;
      const error = await enter(below, depth + 1).then(() => undefined, unread);
      if (error !== undefined) found[at] = { ...entry, path: below, error };
    }
  };
  await enter(path, 1);
  return found;
}

/** What is wrong with one directory is told with it. */
function unread(cause: unknown): string {
  if (TroupeError.is(cause) && cause.code === "file_failed") return reason(cause);
  throw cause;
}

function checkBatch(name: string, entries: readonly unknown[]): void {
  if (!Array.isArray(entries)) throw sandboxErrors.invalidArgument(name, "a list");
  if (entries.length > limits.sandboxBatchFiles)
    throw sandboxErrors.batchTooLarge(name, limits.sandboxBatchFiles);
}

function reason(cause: unknown): string {
  if (!TroupeError.is(cause)) throw cause;
  return `${cause.group}.${cause.code}: ${cause.message}`;
}
