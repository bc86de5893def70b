/**
 * FileSink: lines in a file.
 *
 * With `maxBytes` the file is put aside when a batch would make it larger: `e.jsonl` becomes `e.1.jsonl`, that one
 * `e.2.jsonl`, and past `maxFiles` the oldest goes. A batch is never split over two files.
 */
import { type FileHandle, mkdir, open, rename, rm } from "node:fs/promises";
import { basename, dirname, extname, join } from "node:path";

/** Where lines go. */
export interface Sink {
  /** Appends lines, which are given without their ends, or throws; none of them is then known to be there. */
  write(lines: readonly string[]): Promise<void>;
  /** Settles when what was written would survive a crash, as far as the sink can tell. */
  sync(): Promise<void>;
  close(): Promise<void>;
}

/** Where the file is and how large it gets. */
export interface FileSinkOptions {
  /** Absolute. Folders are made. */
  readonly path: string;
  readonly mode: "append" | "overwrite";
  /** Default: no limit. */
  readonly maxBytes?: number | undefined;
  /** Files that are kept beside the one that is written to. */
  readonly maxFiles: number;
}

/** Batches that may take no more are written from the same memory each time: to get new one takes longer than to fill it. */
const KEPT_BYTES = 4 * 1024 * 1024;
/** Of one of a text's units, in UTF-8. */
const UNIT_BYTES = 3;
const NEWLINE = 0x0a;

/** What agents say to their models is for whoever runs them. A file that is there keeps its own. */
const PRIVATE = 0o600;

/** Lines in a file. */
export class FileSink implements Sink {
  readonly #options: FileSinkOptions;
  #file: Promise<FileHandle> | undefined = undefined;
  #bytes = 0;
  #opened = false;
  /** Of the batch that is written: there is one at a time. */
  #memory: Buffer | undefined = undefined;

  constructor(options: FileSinkOptions) {
    this.#options = options;
  }

  async write(lines: readonly string[]): Promise<void> {
    const bytes = this.#encoded(lines);
    const { maxBytes = Number.POSITIVE_INFINITY } = this.#options;
    await this.#ready();
    if (this.#bytes > 0 && this.#bytes + bytes.length > maxBytes) await this.#rotate();
    const file = await this.#ready();
    await file.appendFile(bytes);
    this.#bytes += bytes.length;
  }

  #encoded(lines: readonly string[]): Buffer {
    let most = 0;
    for (const line of lines) most += UNIT_BYTES * line.length + 1;
    if (most > KEPT_BYTES) return Buffer.from(`${lines.join("\n")}\n`);
    this.#memory ??= Buffer.allocUnsafeSlow(KEPT_BYTES);
    let end = 0;
    for (const line of lines) {
      end += this.#memory.write(line, end);
      end = this.#memory.writeUInt8(NEWLINE, end);
    }
    return this.#memory.subarray(0, end);
  }

  async sync(): Promise<void> {
    await (await this.#file)?.datasync();
  }

  async close(): Promise<void> {
    const file = await this.#file?.catch(() => undefined);
    this.#file = undefined;
    await file?.close();
  }

  async #ready(): Promise<FileHandle> {
    this.#file ??= this.#open();
    try {
      return await this.#file;
    } catch (error) {
      this.#file = undefined;
      throw error;
    }
  }

  async #open(): Promise<FileHandle> {
    const { path, mode } = this.#options;
    await mkdir(dirname(path), { recursive: true });
    // Overwriting is for what was there before: a file that was put aside is followed by an empty one.
    const file = await open(path, mode === "overwrite" && !this.#opened ? "w" : "a", PRIVATE);
    this.#opened = true;
    this.#bytes = (await file.stat()).size;
    return file;
  }

  async #rotate(): Promise<void> {
    const { path, maxFiles } = this.#options;
    await this.close();
    await rm(aside(path, maxFiles), { force: true });
    for (let n = maxFiles - 1; n >= 1; n--) await moved(aside(path, n), aside(path, n + 1));
    if (maxFiles > 0) await moved(path, aside(path, 1));
    else await rm(path, { force: true });
  }
}

/** `e.jsonl` as `e.2.jsonl`. */
function aside(path: string, n: number): string {
  const extension = extname(path);
  return join(dirname(path), `${basename(path, extension)}.${n}${extension}`);
}

async function moved(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
  }
}
