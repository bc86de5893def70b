/** A file system in memory that can be full. */
import { spawnSync } from "node:child_process";
import { closeSync, mkdtempSync, openSync, rmdirSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Mounted until the end of the scope. */
export class SmallDisk implements Disposable {
  readonly path: string;
  readonly #filler: string;

  private constructor(path: string) {
    this.path = path;
    this.#filler = join(path, "filler");
  }

  /** Undefined where nothing can be mounted. */
  static mount(mib: number): SmallDisk | undefined {
    if (process.platform !== "linux") return undefined;
    const path = mkdtempSync(join(tmpdir(), "troupe-small-disk-"));
    const { status } = spawnSync("mount", ["-t", "tmpfs", "-o", `size=${mib}m`, "tmpfs", path]);
    if (status === 0) return new SmallDisk(path);
    rmdirSync(path);
    return undefined;
  }

  /** Takes all the room that is left. */
  fill(): void {
    const fd = openSync(this.#filler, "a");
    try {
      for (const bytes of [new Uint8Array(4_096), new Uint8Array(1)]) while (written(fd, bytes)) {}
    } finally {
      closeSync(fd);
    }
  }

  makeRoom(): void {
    rmSync(this.#filler);
  }

  [Symbol.dispose](): void {
    spawnSync("umount", ["-l", this.path]);
    rmdirSync(this.path);
  }
}

function written(fd: number, bytes: Uint8Array): boolean {
  try {
    return writeSync(fd, bytes) > 0;
  } catch {
    return false;
  }
}
