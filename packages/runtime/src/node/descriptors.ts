/**
 * Descriptors: how many files and sockets this process may have open, and what of it actors with a database get.
 *
 * Each of them has its file, the file's log and shared memory, and a descriptor by which the log is synced; while it is closed the
 * checkpoint thread has it open too. They get half;
 * the rest is for connections, threads and what actors open themselves. (Node has raised the soft limit to the hard one.)
 */
import { closeSync, openSync, readFileSync } from "node:fs";
import type { TroupeError } from "@troupe/base";
import { limits } from "@troupe/protocol";
import { error } from "../new-error.ts";

/** The process's limit; undefined where there is none, or the system has no file that says so. */
export function descriptorLimit(): number | undefined {
  try {
    const [, soft] = /^Max open files\s+(\d+)/m.exec(readFileSync("/proc/self/limits", "latin1")) ?? [];
    return soft === undefined ? undefined : Number(soft);
  } catch {
    return undefined;
  }
}

const OUT_OF_DESCRIPTORS: ReadonlySet<unknown> = new Set(["EMFILE", "ENFILE"]);

/** True when the system refused it for want of a descriptor. */
export function lacksDescriptors(cause: unknown): boolean {
  return cause instanceof Error && "code" in cause && OUT_OF_DESCRIPTORS.has(cause.code);
}

/** True when there aren't as many left: for what fails without saying why. */
export function isOutOfDescriptors(needed = 1): boolean {
  const opened: number[] = [];
  try {
    while (opened.length < needed) opened.push(openSync(process.execPath, "r"));
    return false;
  } catch (cause) {
    return lacksDescriptors(cause);
  } finally {
    for (const fd of opened) closeSync(fd);
  }
}

/** What a caller is told who needs a file or a process that can't be had for want of a descriptor: others close theirs. */
export function tooManyOpenFiles(cause: unknown): TroupeError {
  const message =
    "The server has as many files and sockets open as it may: call again later, and raise its `ulimit -n`";
  return error(503, "storage", "too_many_open_files", message, { retryable: true, cause });
}

/** Actors with a database that may be awake at once under a limit of descriptors. */
export function mostDatabases(descriptors: number): number {
  return Math.max(1, Math.floor((descriptors * limits.databaseDescriptorShare) / limits.databaseDescriptors));
}
