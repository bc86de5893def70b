/**
 * LogRoom: zeros behind a log's last frame, so that a commit overwrites blocks instead of making the file longer.
 *
 * A sync of a file that became longer, or has new blocks, commits the file system's own journal as well, and takes twice as
 * long as one of blocks that were written before (ext4, 8 KiB: 190 us and 80; CPU 100 us and 55; `fallocate` is of no
 * help, as its blocks count as new until they are written). A log that starts over has such blocks; in its first lap, which
 * each start begins anew, it gets them here, some at a time.
 *
 * They are written in a transaction, which holds SQLite's lock of writers: nobody else, in whatever process, has a log's
 * end to move meanwhile. The sync of that transaction makes them durable with it, and takes as long as it would have.
 * Nobody reads them: a log ends before the first frame that hasn't its salts (sqlite.org/walformat.html), whether a process
 * reads it that has just made it or one after kill -9. Its length alone doesn't say where it ends, so that is looked for.
 *
 * Nothing depends on room. When there is none to be had (a full disk, a quota), commits go on without, and it is tried again
 * as many bytes later. An actor's own file has none: its log is short, and there may be thousands.
 */
import { fstatSync, readSync, statfsSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import type { WalDescriptor } from "./wal-descriptor.ts";

/** Room is made so much at a time. What is written twice is a lap at most, and this. */
export const LOG_ROOM_BYTES = 128 * 1024;
/** A transaction that is larger has none made: what its sync costs is shared by many, or is the bytes'. */
const SMALL_BYTES = LOG_ROOM_BYTES / 4;

const LOG_HEADER_BYTES = 32;
const FRAME_HEADER_BYTES = 24;
/** Where the header says how long a page is, and where it and a frame have their salts. */
const PAGE_SIZE_AT = 8;
const SALTS_AT = 16;
const FRAME_SALTS_AT = 8;
const SALTS_BYTES = 8;

/** `statfs` of those that write blocks where they are: ext2 to ext4, XFS, and overlayfs, which is in front of one. */
const IN_PLACE = [0xef53, 0x58465342, 0x794c7630];

/** True where a block that is written again stays where it is: elsewhere a sync gains nothing by it. */
export function overwritesInPlace(path: string): boolean {
  if (process.platform !== "linux") return false;
  try {
    return IN_PLACE.includes(statfsSync(dirname(path)).type);
  } catch {
    return false;
  }
}

/** What a log has behind its end. */
export class LogRoom {
  readonly #log: Pick<WalDescriptor, "fd" | "end">;
  readonly #header = Buffer.alloc(LOG_HEADER_BYTES);
  readonly #salts = Buffer.alloc(SALTS_BYTES);
  /** From below, but for when there was none to be had: then it says when to try again. */
  #bytes = 0;

  constructor(log: Pick<WalDescriptor, "fd" | "end">) {
    this.#log = log;
  }

  /** Inside a transaction that puts so many bytes into the log, before it ends. Never throws. */
  make(bytes: number): void {
    if (bytes > SMALL_BYTES) return;
    try {
      if (this.#bytes < bytes) this.#bytes = this.#find();
      if (this.#bytes < bytes) this.#extend();
      this.#bytes -= bytes;
    } catch {
      this.#bytes = LOG_ROOM_BYTES;
    }
  }

  /** The log was cut: there is none. */
  emptied(): void {
    this.#bytes = 0;
  }

  #extend(): void {
    const { size } = fstatSync(this.#log.fd);
    // Begun by the first commit; cut by somebody else, which its sync is going to find.
    if (size === 0 || size < this.#log.end) return;
    this.#bytes += writeSync(this.#log.fd, new Uint8Array(LOG_ROOM_BYTES), 0, LOG_ROOM_BYTES, size);
  }

  /** How much of the file's end is no frame of this lap: at most as much as is made at once. */
  #find(): number {
    const { fd } = this.#log;
    if (readSync(fd, this.#header, 0, LOG_HEADER_BYTES, 0) < LOG_HEADER_BYTES) return 0;
    const frameBytes = FRAME_HEADER_BYTES + this.#header.readUInt32BE(PAGE_SIZE_AT);
    const frames = Math.floor((fstatSync(fd).size - LOG_HEADER_BYTES) / frameBytes);
    // The first frame that isn't of this lap is in between.
    let low = Math.max(0, frames - Math.floor(LOG_ROOM_BYTES / frameBytes));
    let high = frames;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#isOfLap(LOG_HEADER_BYTES + middle * frameBytes)) low = middle + 1;
      else high = middle;
    }
    return (frames - low) * frameBytes;
  }

  #isOfLap(frameAt: number): boolean {
    readSync(this.#log.fd, this.#salts, 0, SALTS_BYTES, frameAt + FRAME_SALTS_AT);
    return this.#salts.compare(this.#header, SALTS_AT, SALTS_AT + SALTS_BYTES) === 0;
  }
}
