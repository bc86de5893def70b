/**
 * Bounded file: what somebody else names, read without a wait for anybody, and no more of it than may be.
 *
 * The name may mean anything: a pipe, whose reader waits for its other end, for ever if there is none; a device without an end;
 * a file that grows while it is read. So it is opened without waiting and must be a file, and of that one opened file at most
 * a byte more than the limit is read, whatever size it said that it has.
 */
import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { constants as system } from "node:os";

/** How much of a file is read. */
export interface FileBound {
  readonly limitBytes: number;
  /** What is thrown for a larger one. */
  readonly tooLarge: (bytes: number) => Error;
  /** Beside reading, of `constants` of `node:fs`. */
  readonly flags?: number;
}

/** Reads it. Rejects with what `tooLarge` gives, and as the file system does; what is no file is `EINVAL`. */
export async function readBounded(path: string, bound: FileBound): Promise<Buffer> {
  await using file = await openFile(path, bound.flags);
  const filling = new Filling(bound, await file.stat());
  while (filling.took((await file.read(filling.room)).bytesRead));
  return filling.bytes;
}

/** As `readBounded`, for who can't wait. */
export function readBoundedSync(path: string, bound: FileBound): Buffer {
  const descriptor = openSync(path, readable(bound.flags));
  try {
    const filling = new Filling(bound, checkFile(path, fstatSync(descriptor)));
    while (filling.took(readSync(descriptor, filling.room)));
    return filling.bytes;
  } finally {
    closeSync(descriptor);
  }
}

/** Opens what is there for reading, if it is a file. Rejects as the file system does; what is no file is `EINVAL`. */
export async function openFile(path: string, flags = 0): Promise<FileHandle> {
  const handle = await open(path, readable(flags));
  try {
    checkFile(path, await handle.stat());
    return handle;
  } catch (cause) {
    await handle.close();
    throw cause;
  }
}

/** What was read so far, and room for what comes. */
class Filling {
  readonly #bound: FileBound;
  readonly #parts: Buffer[] = [];
  #length = 0;
  /** Never empty: it has room for one byte more than there should be. */
  room: Buffer;

  constructor(bound: FileBound, { size }: Stats) {
    if (size > bound.limitBytes) throw bound.tooLarge(size);
    this.#bound = bound;
    this.room = Buffer.allocUnsafe(size + 1);
  }

  /** So many bytes came into the room; false: none, which is the end. */
  took(bytes: number): boolean {
    if (bytes === 0) return false;
    this.#length += bytes;
    if (this.#length > this.#bound.limitBytes) throw this.#bound.tooLarge(this.#length);
    this.#parts.push(this.room.subarray(0, bytes));
    this.room = bytes < this.room.length ? this.room.subarray(bytes) : Buffer.allocUnsafe(this.#more());
    return true;
  }

  get bytes(): Buffer {
    const [only, ...others] = this.#parts;
    return only !== undefined && others.length === 0 ? only : Buffer.concat(this.#parts, this.#length);
  }

  /** It has more than it said. */
  #more(): number {
    return Math.min(GROWTH_BYTES, this.#bound.limitBytes - this.#length + 1);
  }
}

const GROWTH_BYTES = 64 * 1024;

function readable(flags = 0): number {
  return constants.O_RDONLY | constants.O_NONBLOCK | flags;
}

function checkFile(path: string, stats: Stats): Stats {
  if (stats.isFile()) return stats;
  throw Object.assign(new Error(`EINVAL: it is no file, open '${path}'`), {
    code: "EINVAL",
    errno: -system.errno.EINVAL,
  });
}
