/**
 * Folders for what is temporary, each of one process. It is removed when it isn't needed any more; a process that was killed can't, so the
 * next one that makes a folder of that kind removes what such have left.
 *
 * A folder's name says whose it is: the namespace in which process numbers count, since containers may share the place and not the
 * numbers; the process' number; and when it began, by the kernel's clock, since numbers come again. Whose owner can't be told from a
 * living process stays, and so does what another user has made. Names are short: the path of a socket has room for about a hundred characters.
 */
import { constants, readFileSync, readlinkSync } from "node:fs";
import { access, lstat, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { TroupeError } from "@troupe/base";

/** Folders that one sweep removes at most: a start waits for it. The next one goes on. */
const MOST_REMOVED = 100;

/**
 * A new one, for this user alone; `kind` tells it from others. Removes those of the same kind that nobody has any more. Throws
 * `config.no_temporary_folder`.
 */
export async function makeOwnedFolder(kind: string): Promise<string> {
  await removeLeft(kind);
  return await mkdtemp(beginOf(kind)).catch((cause: unknown) => {
    throw noPlace(cause);
  });
}

/** One as `makeOwnedFolder` would make, which isn't made. Throws as that does. */
export async function exampleOfOwnedFolder(kind: string): Promise<string> {
  await access(tmpdir(), constants.W_OK | constants.X_OK).catch((cause: unknown) => {
    throw noPlace(cause);
  });
  return `${beginOf(kind)}XXXXXX`;
}

function beginOf(kind: string): string {
  const { pid } = process;
  return join(tmpdir(), `${kind}-${namespace()}-${pid}-${beganAt(pid) ?? UNKNOWN}-`);
}

function noPlace(cause: unknown): TroupeError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new TroupeError(
    "config",
    "no_temporary_folder",
    `Nothing temporary can be kept in ${tmpdir()} (${reason}): TMPDIR must name a folder that is there and can be written`,
    { statusCode: 500, public: false, metadata: { path: tmpdir() }, cause },
  );
}

/** Where one would be, as far as that is known before it is made. */
export function ownedFolderPlace(kind: string): string {
  return join(tmpdir(), `${kind}-RUN`);
}

/** In a name: there is no `/proc` that would say when a process began. */
const UNKNOWN = "0";

async function removeLeft(kind: string): Promise<void> {
  const begin = `${kind}-${namespace()}-`;
  const names = await readdir(tmpdir()).catch(() => []);
  let removed = 0;
  for (const name of names) {
    if (removed === MOST_REMOVED) return;
    if (!name.startsWith(begin) || isOwned(name.slice(begin.length))) continue;
    const path = join(tmpdir(), name);
    // In another user's folder a name may lead elsewhere while it is removed.
    const ours = await lstat(path).then(
      (stats) => stats.isDirectory() && stats.uid === process.getuid?.(),
      () => false,
    );
    if (!ours) continue;
    // Another process may do the same.
    await rm(path, { recursive: true, force: true }).catch(() => undefined);
    removed += 1;
  }
}

/** `rest`: of the name, behind what all of this kind and place have. True for one that isn't a folder of ours too. */
function isOwned(rest: string): boolean {
  const [, pid, began] = /^(\d+)-([a-z0-9]+)-/.exec(rest) ?? [];
  if (pid === undefined || began === undefined) return true;
  if (!isAlive(Number(pid))) return false;
  const known = began === UNKNOWN ? undefined : beganAt(Number(pid));
  return known === undefined || known === began;
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (cause) {
    // It is there, and another user's.
    return !(cause instanceof Error && "code" in cause && cause.code === "ESRCH");
  }
}

/** In ticks since the machine began, as a short text; undefined: nobody says. */
function beganAt(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    // The second field is the program's name, and may have anything in it.
    const ticks = stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
    return ticks === undefined ? undefined : short(ticks);
  } catch {
    return undefined;
  }
}

/** Of process numbers. Where there is no `/proc`, there is one. */
function namespace(): string {
  try {
    return short(/\d+/.exec(readlinkSync("/proc/self/ns/pid"))?.[0] ?? "0");
  } catch {
    return "0";
  }
}

function short(digits: string): string {
  return Number(digits).toString(36);
}
