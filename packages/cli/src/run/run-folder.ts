/**
 * Folders of runs, below the system's own for what is temporary. Each is removed at its run's end; a run that was killed has none, so
 * the next one removes what it has left. A folder's name says whose it is: a process, and the namespace in which its number counts, since
 * containers may share the place and not the numbers.
 */
import { readlinkSync } from "node:fs";
import { lstat, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A new one, for this user alone; `kind` tells it from others. Removes those of the same kind that nobody has any more. */
export async function makeRunFolder(kind: string): Promise<string> {
  await removeLeft(kind);
  return await mkdtemp(join(tmpdir(), `${kind}-${namespace()}-${process.pid}-`));
}

/** Where one would be, as far as that is known before it is made. */
export function runFolderPlace(kind: string): string {
  return join(tmpdir(), `${kind}-RUN`);
}

async function removeLeft(kind: string): Promise<void> {
  const begin = `${kind}-${namespace()}-`;
  const names = await readdir(tmpdir()).catch(() => []);
  for (const name of names) {
    const owner = name.startsWith(begin) ? /^(\d+)-/.exec(name.slice(begin.length))?.[1] : undefined;
    if (owner === undefined || isAlive(Number(owner))) continue;
    const path = join(tmpdir(), name);
    // In another user's folder a name may lead elsewhere while it is removed.
    const ours = await lstat(path).then(
      (stats) => stats.isDirectory() && stats.uid === process.getuid?.(),
      () => false,
    );
    // Another run may do the same.
    if (ours) await rm(path, { recursive: true, force: true }).catch(() => undefined);
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (cause) {
    // It is there, and another user's.
    return !(cause instanceof Error && "code" in cause && cause.code === "ESRCH");
  }
}

/** Of process numbers. Where there is no `/proc`, there is one. */
function namespace(): string {
  try {
    return /\d+/.exec(readlinkSync("/proc/self/ns/pid"))?.[0] ?? "0";
  } catch {
    return "0";
  }
}
