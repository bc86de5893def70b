/** A small file system that can be full: in memory, or in a file. */
import { spawnSync } from "node:child_process";
import {
  closeSync,
  mkdtempSync,
  openSync,
  rmdirSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
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
  static mount(mib: number, kind: "tmpfs" | "ext4" = "tmpfs"): SmallDisk | undefined {
    if (process.platform !== "linux") return undefined;
    const path = mkdtempSync(join(tmpdir(), "troupe-small-disk-"));
    const isMounted =
      kind === "ext4"
        ? mountImage(path, mib)
        : runs("mount", ["-t", "tmpfs", "-o", `size=${mib}m`, "tmpfs", path]);
    if (isMounted) return new SmallDisk(path);
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

function runs(command: string, args: readonly string[]): boolean {
  return spawnSync(command, args).status === 0;
}

/** The image has no name any more, and goes with its mount. */
function mountImage(path: string, mib: number): boolean {
  const image = `${path}.img`;
  writeFileSync(image, "");
  try {
    truncateSync(image, mib * 1024 * 1024);
    return runs("mkfs.ext4", ["-q", "-F", image]) && runs("mount", ["-o", "loop", image, path]);
  } finally {
    rmSync(image);
  }
}

function written(fd: number, bytes: Uint8Array): boolean {
  try {
    return writeSync(fd, bytes) > 0;
  } catch {
    return false;
  }
}
