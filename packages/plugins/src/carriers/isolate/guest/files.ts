/**
 * `node:fs/promises` for a place that has only the language: as much of it as granted folders need. The host opens the files, and decides what
 * may be opened: nothing here does. What changes something waits until what the actor wrote before it is durable.
 *
 * Errors have the system's names as their `code`, as Node's have.
 */
import { TroupeError } from "@troupe/base";
import { limits } from "@troupe/protocol";
import { HostAsk } from "@troupe/protocol/plugin/v1";
import { asks } from "./asks.ts";
import { host } from "./host.ts";
import { Utf8Decoder, Utf8Encoder } from "./text-coding.ts";

/** "utf8", or an object that says so. Without it a file is bytes. */
type Encoding = string | { readonly encoding?: string | null } | null | undefined;

/** How to write. */
interface WriteOptions {
  readonly encoding?: string | null;
  /** "w", "a" or "wx". */
  readonly flag?: string;
}

type Kind = "file" | "folder" | "link" | "other";

/** What says what it is of. */
class Kinded {
  readonly #kind: Kind;

  constructor(kind: Kind) {
    this.#kind = kind;
  }

  isFile(): boolean {
    return this.#kind === "file";
  }

  isDirectory(): boolean {
    return this.#kind === "folder";
  }

  isSymbolicLink(): boolean {
    return this.#kind === "link";
  }
}

/** What `stat` gives: as Node's, without what is the machine's own. */
class Stats extends Kinded {
  readonly size: number;
  readonly mtimeMs: number;
  readonly ctimeMs: number;
  readonly birthtimeMs: number;

  constructor(told: Pick<Stats, "size" | "mtimeMs" | "ctimeMs" | "birthtimeMs"> & { readonly kind: Kind }) {
    super(told.kind);
    this.size = told.size;
    this.mtimeMs = told.mtimeMs;
    this.ctimeMs = told.ctimeMs;
    this.birthtimeMs = told.birthtimeMs;
  }

  get mtime(): Date {
    return new Date(this.mtimeMs);
  }

  get ctime(): Date {
    return new Date(this.ctimeMs);
  }

  get birthtime(): Date {
    return new Date(this.birthtimeMs);
  }
}

/** What `readdir` gives with `withFileTypes`. */
class Entry extends Kinded {
  readonly name: string;
  readonly parentPath: string;

  constructor(name: string, parentPath: string, kind: Kind) {
    super(kind);
    this.name = name;
    this.parentPath = parentPath;
  }
}

/** The host answers so many at once; the others wait here. */
const waiting: (() => void)[] = [];
let free: number = limits.isolateFileCalls;

async function ask(act: string, path: unknown, more: object = {}): Promise<unknown> {
  const input = { act, path: pathOf(path), ...more };
  if (free === 0) await new Promise<void>((turn) => waiting.push(turn));
  else free -= 1;
  try {
    return await asks.ask(HostAsk.FILE, input).answer;
  } finally {
    const next = waiting.shift();
    if (next === undefined) free += 1;
    else next();
  }
}

async function change(act: string, path: unknown, more: object = {}): Promise<void> {
  await host.departure();
  await ask(act, path, more);
}

async function readFile(path: string, options?: Encoding): Promise<string | Uint8Array> {
  const isText = encodingOf(options) !== undefined;
  const bytes = (await ask("read", path)) as Uint8Array;
  return isText ? new Utf8Decoder().decode(bytes) : bytes;
}

async function write(
  path: string,
  data: unknown,
  options: string | WriteOptions | null,
  flag: string,
): Promise<void> {
  const how = hows.get((typeof options === "object" && options?.flag) || flag);
  if (how === undefined) throw new TypeError('`flag` is "w", "a" or "wx" here');
  encodingOf(options);
  const bytes = bytesOf(data);
  if (bytes.byteLength > limits.isolateFileBytes)
    throw new TroupeError(
      "files",
      "EFBIG",
      `EFBIG: a file has at most ${limits.isolateFileBytes} bytes here, '${path}'`,
    );
  await change("write", path, { data: bytes, how });
}

const hows: ReadonlyMap<string, string> = new Map([
  ["w", "replace"],
  ["a", "append"],
  ["wx", "create"],
]);

async function readdir(
  path: string,
  options: Encoding | { readonly withFileTypes?: boolean; readonly recursive?: boolean } = {},
): Promise<(string | Entry)[]> {
  const { withFileTypes, recursive } = Object(options);
  if (recursive === true) throw new TypeError("`recursive` isn't there for readdir");
  const entries = (await ask("list", path)) as { readonly name: string; readonly kind: Kind }[];
  return entries.map(({ name, kind }) => (withFileTypes === true ? new Entry(name, path, kind) : name));
}

async function lstat(path: string): Promise<Stats> {
  return new Stats((await ask("stat", path)) as ConstructorParameters<typeof Stats>[0]);
}

async function rm(
  path: string,
  options: { readonly recursive?: boolean; readonly force?: boolean } = {},
): Promise<void> {
  await change("remove", path, {
    what: options.recursive === true ? "all" : "file",
    missing: options.force === true,
  });
}

/** Whether it is there, and so may be read, and whether its folder is granted for writing. Nothing here is run. */
async function access(path: string, mode = 0): Promise<void> {
  if ((mode & ~(R_OK | W_OK)) !== 0) throw new TypeError("`mode` of access is F_OK, R_OK or W_OK here");
  await ask("stat", path, { writable: (mode & W_OK) !== 0 });
}

/** Of the system, and of Node. */
const R_OK = 4;
const W_OK = 2;

/** What may be imported. No link is followed: `stat` says of one what `lstat` does. */
export const fileApi = Object.freeze({
  access,
  appendFile: (path: string, data: unknown, options: string | WriteOptions | null = null) =>
    write(path, data, options, "a"),
  lstat,
  mkdir: async (path: string, options?: { readonly recursive?: boolean }): Promise<void> =>
    change("make", path, { recursive: Object(options).recursive === true }),
  readdir,
  readFile,
  rename: async (from: string, to: string): Promise<void> => change("rename", from, { to: pathOf(to) }),
  rm,
  rmdir: async (path: string): Promise<void> => change("remove", path, { what: "folder" }),
  stat: lstat,
  unlink: async (path: string): Promise<void> => change("remove", path, { what: "file" }),
  writeFile: (path: string, data: unknown, options: string | WriteOptions | null = null) =>
    write(path, data, options, "w"),
});

function pathOf(path: unknown): string {
  if (typeof path === "string") return path;
  throw new TypeError("A path is a text here");
}

/** Undefined: bytes. */
function encodingOf(options: Encoding): string | undefined {
  const encoding = typeof options === "string" ? options : options?.encoding;
  if (encoding === undefined || encoding === null) return undefined;
  if (/^utf-?8$/i.test(encoding)) return encoding;
  throw new TypeError('The encoding is "utf8" here; without one a file is bytes');
}

function bytesOf(data: unknown): Uint8Array {
  if (typeof data === "string") return new Utf8Encoder().encode(data);
  if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  throw new TypeError("What is written is a text or bytes");
}
