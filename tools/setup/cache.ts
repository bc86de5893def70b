/** The folder that keeps what tests need and a registry brings. Each part of it is made whole or not at all. */
import { existsSync } from "node:fs";
import { mkdir, readdir, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

/** Parts of it outlive a run, not the clone. */
export const cache = join(import.meta.dirname, "../../node_modules/.cache/troupe-programs");

/**
 * Has `make` fill a new folder, which then is at `folder`, in place of one that was there before. Where another run has made it
 * meanwhile, its folder stays. Gives what `make` gives: undefined, or why it could not.
 */
export async function madeWhole(
  folder: string,
  make: (half: string) => Promise<string | undefined>,
): Promise<string | undefined> {
  const replaces = existsSync(folder);
  await removeLeft(folder);
  const half = `${folder}.${process.pid}`;
  await mkdir(half, { recursive: true });
  try {
    const refusal = await make(half);
    if (refusal !== undefined) return refusal;
    if (replaces) await rm(folder, { recursive: true, force: true });
    await rename(half, folder).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "ENOTEMPTY" && error.code !== "EEXIST") throw error;
    });
    return undefined;
  } finally {
    await rm(half, { recursive: true, force: true });
  }
}

/** A run that was ended leaves its half. */
async function removeLeft(folder: string): Promise<void> {
  const parent = dirname(folder);
  await mkdir(parent, { recursive: true });
  for (const name of await readdir(parent)) {
    const pid = name.startsWith(`${basename(folder)}.`) ? Number(name.slice(basename(folder).length + 1)) : 0;
    if (pid > 0 && !lives(pid)) await rm(join(parent, name), { recursive: true, force: true });
  }
}

function lives(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}
