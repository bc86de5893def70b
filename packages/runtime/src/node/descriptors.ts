/**
 * Descriptors: how many files and sockets this process may have open, and what of it actors with a database get.
 *
 * Each of them has its file, the file's log and shared memory, and a descriptor by which the log is synced. They get half;
 * the rest is for connections, threads and what actors open themselves. Node has raised the soft limit to the hard one.
 */
import { readFileSync } from "node:fs";
import { limits } from "@troupe/protocol";

/** The process's limit; undefined where there is none, or the system has no file that says so. */
export function descriptorLimit(): number | undefined {
  try {
    const [, soft] = /^Max open files\s+(\d+)/m.exec(readFileSync("/proc/self/limits", "latin1")) ?? [];
    return soft === undefined ? undefined : Number(soft);
  } catch {
    return undefined;
  }
}

/** Actors with a database that may be awake at once under a limit of descriptors. */
export function mostDatabases(descriptors: number): number {
  return Math.max(1, Math.floor((descriptors * limits.databaseDescriptorShare) / limits.databaseDescriptors));
}
