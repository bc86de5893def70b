/**
 * WholeFolder: a folder that has its name when it is whole, or never.
 *
 * It is made beside its place under another name, and renamed. Whoever makes it holds a lock in it, which goes with the
 * process: what a killed one left is removed by the next that makes one there.
 */
import { existsSync, mkdtempSync, readdirSync, renameSync, rmSync, statSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import type { Env } from "@troupe/base";
import { backupErrors } from "../../../backup-errors.ts";
import { DataLock, LOCK_FILES } from "../data-lock.ts";
import { fileError, syncDirectory } from "../files.ts";
import { backupLimits } from "./limits.ts";

const PREFIX = ".troupe-incomplete-";

/** A folder that is being made. */
export class WholeFolder implements AsyncDisposable {
  /** Where it is until it is whole. */
  readonly path: string;
  readonly #target: string;
  readonly #lock: DataLock;
  #open = true;

  private constructor(target: string, path: string, lock: DataLock) {
    this.#target = target;
    this.path = path;
    this.#lock = lock;
  }

  /** Throws `backup.no_parent`, `storage.*`. Whether the target is free is the caller's to ask. */
  static async make(target: string, env: Pick<Env, "clock" | "timers" | "log">): Promise<WholeFolder> {
    const full = resolve(target);
    const parent = dirname(full);
    if (statSync(parent, { throwIfNoEntry: false })?.isDirectory() !== true)
      throw backupErrors.noParent(parent);
    try {
      removeLeft(parent, env.clock.now());
      const path = mkdtempSync(join(parent, PREFIX));
      try {
        return new WholeFolder(full, path, await DataLock.acquire({ env, dataDir: path, waitMs: 0 }));
      } catch (error) {
        rmSync(path, { recursive: true, force: true });
        throw error;
      }
    } catch (error) {
      throw fileError(parent, error);
    }
  }

  /** Gives it its name, durably. What is in it is durable. An empty folder may be there. */
  finish(): void {
    try {
      this.#release();
      for (const name of LOCK_FILES) rmSync(join(this.path, name), { force: true });
      syncDirectory(this.path);
      renameSync(this.path, this.#target);
      this.#open = false;
      syncDirectory(dirname(this.#target));
    } catch (error) {
      const isThere = this.#open && existsSync(this.#target);
      throw isThere ? backupErrors.targetExists(this.#target) : fileError(this.#target, error);
    }
  }

  /** Unless it is finished nothing of it stays. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#open) return;
    this.#release();
    rmSync(this.path, { recursive: true, force: true });
  }

  #release(): void {
    this.#lock.release();
  }
}

/** Those that a killed process left. A young one without a lock is about to get it. */
function removeLeft(parent: string, now: number): void {
  for (const name of readdirSync(parent)) {
    if (!basename(name).startsWith(PREFIX)) continue;
    const path = join(parent, name);
    const isLeft = existsSync(join(path, "lock.db"))
      ? !DataLock.isHeld(path)
      : now - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? now) > backupLimits.lockMs;
    if (isLeft) rmSync(path, { recursive: true, force: true });
  }
}
