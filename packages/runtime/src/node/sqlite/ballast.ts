/**
 * Ballast: a file that holds some room on the data directory's disk, to be given up when there is none left.
 *
 * A log is cut only when all of it is in its database, and a database that has to grow for that by a page can't on a full
 * disk: without a reserve, megabytes of log are never freed for want of a few kilobytes. Each start gives it up before it
 * moves what logs a killed process left, and so does a running process before it gives up a write. Afterwards it is made again,
 * where there is room to spare. Nothing is kept in it, and whoever needs its room may delete it.
 */
import { randomFillSync } from "node:crypto";
import { closeSync, openSync, rmSync, statfsSync, writeSync } from "node:fs";
import { join } from "node:path";
import { limits } from "@troupe/protocol";

/** Nobody but it may need the room: less than so much beside it is left alone. */
const TO_SPARE_BYTES = 4 * limits.ballastBytes;

/** The reserve of one data directory. Nothing here throws: what it can't do leaves all as it was. */
export class Ballast {
  readonly #directory: string;
  readonly #path: string;

  constructor(dataDir: string) {
    this.#directory = dataDir;
    this.#path = join(dataDir, "ballast");
  }

  /** Gives its room back to the disk. */
  drop(): void {
    try {
      rmSync(this.#path, { force: true });
    } catch {
      // Others may delete nothing here either: there is no more room than there was.
    }
  }

  /** Takes the room again, where there is some to spare. */
  load(): void {
    try {
      const { bavail, bsize } = statfsSync(this.#directory);
      if (bavail * bsize < TO_SPARE_BYTES) return;
      const fd = openSync(this.#path, "wx");
      try {
        // Some file systems store nothing but the length of zeros.
        writeSync(fd, randomFillSync(new Uint8Array(limits.ballastBytes)));
      } finally {
        closeSync(fd);
      }
    } catch {
      // It is there, or there is no room for it.
    }
  }
}
