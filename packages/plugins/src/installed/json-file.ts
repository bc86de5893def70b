/**
 * JSON files that several processes change: a lock, and a new file in the place of the old one.
 *
 * Whoever reads takes no lock and sees the old content or the new, never a part. Whoever changes holds `<file>.lock.db` from before it
 * reads until after it has written. Of a process that dies the kernel takes the lock back, and what was half written is a file that nobody
 * reads, and that goes with the next change.
 */
import { randomUUID } from "node:crypto";
import { mkdir, open, readdir, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { setTimeout as passed } from "node:timers/promises";
import { TroupeError } from "@troupe/base";
import { limits } from "@troupe/protocol";
import { PassingLock } from "@troupe/runtime/process";
import { readBounded } from "../bounded-file.ts";
import { stateErrors } from "./errors.ts";

/** The file's value; undefined when it isn't there. Throws `plugin.state_unreadable`, `plugin.state_malformed`. */
export async function readJson(file: string): Promise<unknown> {
  const limitBytes = limits.pluginStateBytes;
  const tooLarge = (): Error => stateErrors.tooLarge(file, limitBytes);
  const text = await readBounded(file, { limitBytes, tooLarge }).catch((cause: unknown) => {
    if (hasCode(cause, "ENOENT")) return undefined;
    throw TroupeError.is(cause) ? cause : stateErrors.unreadable(file, cause);
  });
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text.toString());
  } catch (cause) {
    throw stateErrors.malformed(file, "it isn't JSON", cause);
  }
}

/** Runs `change` while nobody else changes the file. Throws `plugin.state_locked`. */
export async function whileLocked<T>(file: string, change: () => Promise<T>): Promise<T> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const lock = await taken(`${file}.lock.db`);
  try {
    await removeLeftovers(file);
    return await change();
  } finally {
    lock.release();
  }
}

/**
 * What killed writers have left beside the file, which may be in a repository. While the lock is held nobody writes a fresh one. A second
 * name of the lock's file is its taker's for a moment, and whoever makes one changes the file's books.
 */
async function removeLeftovers(file: string): Promise<void> {
  const folder = dirname(file);
  const [fresh, names] = [`${basename(file)}.`, `${basename(file)}.lock.db.`];
  // What can't be seen or removed is in nobody's way.
  for (const entry of await readdir(folder).catch(() => [])) {
    const path = join(folder, entry);
    const isFresh = entry.startsWith(fresh) && uuid.test(entry.slice(fresh.length));
    const isName = entry.startsWith(names) && uuid.test(entry.slice(names.length)) && (await isLeft(path));
    if (isFresh || isName) await rm(path, { force: true }).catch(() => {});
  }
}

async function isLeft(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  return found !== undefined && Date.now() - found.ctimeMs > LEFT_MS;
}

const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const LEFT_MS = 60 * 60_000;

/** Puts a value in the place of what is there, on disk when this settles. The lock is held meanwhile. */
export async function writeJson(file: string, value: unknown): Promise<void> {
  const fresh = `${file}.${randomUUID()}`;
  try {
    const handle = await open(fresh, "wx", 0o600);
    try {
      await handle.writeFile(`${JSON.stringify(value, null, 2)}\n`);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(fresh, file);
  } catch (cause) {
    await rm(fresh, { force: true });
    throw stateErrors.unwritable(file, cause);
  }
}

const RETRY_MS = 20;

async function taken(lock: string): Promise<PassingLock> {
  for (let waited = 0; ; waited += RETRY_MS) {
    const mine = tried(lock);
    if (mine !== undefined) return mine;
    if (waited >= limits.pluginStateLockMs) throw stateErrors.locked(lock);
    await passed(RETRY_MS);
  }
}

function tried(lock: string): PassingLock | undefined {
  try {
    return PassingLock.take(lock);
  } catch (cause) {
    throw stateErrors.unwritable(lock, cause);
  }
}

function hasCode(cause: unknown, code: string): boolean {
  return cause instanceof Error && "code" in cause && cause.code === code;
}
