/**
 * JSON files that several processes change: a lock, and a new file in the place of the old one.
 *
 * Whoever reads takes no lock and sees the old content or the new, never a part. Whoever changes holds `<file>.lock`, a file
 * with its process id, from before it reads until after it has written. A process that dies leaves its lock behind: the
 * next one sees that nobody is there any more, takes it away, and what was half written is a file that nobody reads.
 */
import { randomUUID } from "node:crypto";
import { link, mkdir, open, rename, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { setTimeout as passed } from "node:timers/promises";
import { TroupeError } from "@troupe/base";
import { limits } from "@troupe/protocol";
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
  const lock = `${file}.lock`;
  await take(lock);
  try {
    return await change();
  } finally {
    await rm(lock, { force: true });
  }
}

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

async function take(lock: string): Promise<void> {
  // The id is in the file before the lock has its name: nobody ever reads an empty one.
  const mine = `${lock}.${randomUUID()}`;
  await writeFile(mine, String(process.pid), { flag: "wx", mode: 0o600 });
  try {
    for (let waited = 0; ; waited += RETRY_MS) {
      if (await linked(mine, lock)) return;
      const holder = await holderOf(lock);
      if (holder !== undefined && !isRunning(holder)) await takeAway(lock, holder);
      else if (waited >= limits.pluginStateLockMs) throw stateErrors.locked(lock, holder);
      else await passed(RETRY_MS);
    }
  } finally {
    await rm(mine, { force: true });
  }
}

async function linked(mine: string, lock: string): Promise<boolean> {
  try {
    await link(mine, lock);
    return true;
  } catch (cause) {
    if (hasCode(cause, "EEXIST")) return false;
    throw stateErrors.unwritable(lock, cause);
  }
}

/** Of two who take a dead one's lock away, one gets it. The other may get the first one's, and puts it back. */
async function takeAway(lock: string, dead: number): Promise<void> {
  const away = `${lock}.${randomUUID()}`;
  try {
    await rename(lock, away);
  } catch (cause) {
    if (hasCode(cause, "ENOENT")) return;
    throw stateErrors.unwritable(lock, cause);
  }
  if ((await holderOf(away)) !== dead) await linked(away, lock);
  await rm(away, { force: true });
}

async function holderOf(lock: string): Promise<number | undefined> {
  const tooLarge = (): Error => stateErrors.tooLarge(lock, limits.pluginStateBytes);
  const text = await readBounded(lock, { limitBytes: limits.pluginStateBytes, tooLarge }).then(
    String,
    () => "",
  );
  return /^[1-9]\d*$/.test(text) ? Number(text) : undefined;
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (cause) {
    // Somebody else's process is one.
    return !hasCode(cause, "ESRCH");
  }
}

function hasCode(cause: unknown, code: string): boolean {
  return cause instanceof Error && "code" in cause && cause.code === code;
}
