/**
 * Tree: which of a sandbox's files changed, found by looking at all of them.
 *
 * Nobody tells of what a process writes: a look compares each file's identity, size and time of change (which no process can set)
 * with those of the last look. Three pictures are kept:
 *
 *   given      what an empty sandbox has; an image is the difference to it
 *   kept       what is stored
 *   looked at  the last look, which becomes `kept` when the runtime says that it is stored
 *
 * What is on another file system (the host's programs, /proc, /dev) is no file of the sandbox, and neither are the links that lead there
 * from the root (/bin, /lib), sockets, pipes and devices. A name that isn't UTF-8 can't be stored: a look at one throws, and says which. While processes write, a look finds each file as it is in that moment.
 */
import {
  type BigIntStats,
  chmodSync,
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmdirSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { dirname } from "node:path";
import { makeDirectories } from "./make-directories.ts";
import type { EntryHead } from "./messages.ts";
import { codeOf, systemError } from "./system-error.ts";
import { linkTarget, namesIn } from "./text-names.ts";

/** Gets each changed path, parents first, with a file's content. */
export type OnChange = (path: string, entry: EntryHead, content?: Uint8Array) => void;

/** How a path looked: two that are equal are the same. */
type Look = ReadonlyMap<string, string>;

/** How much there may be. */
export interface TreeLimits {
  readonly fileBytes: number;
  readonly files: number;
}

/** The files of a sandbox. */
export class Tree {
  readonly #limits: TreeLimits;
  /** Whoever had others in an image would have no commands. */
  readonly #machineLinks: ReadonlySet<string>;
  #given: Look;
  #kept: Look;
  #lookedAt: Look | undefined;
  /** Directories that get their modes when all that is in them is there. */
  readonly #modes: (readonly [path: string, mode: number, modifiedAt: number])[] = [];

  /** Now is an empty sandbox. */
  constructor(limits: TreeLimits) {
    this.#limits = limits;
    const links = readdirSync("/", { withFileTypes: true }).filter((entry) => entry.isSymbolicLink());
    this.#machineLinks = new Set(links.map(({ name }) => `/${name}`));
    this.#given = this.#look();
    this.#kept = this.#given;
  }

  /** Puts one path of an image there. Throws what the system says. */
  put(path: string, entry: EntryHead, content: Uint8Array): void {
    if (this.#machineLinks.has(path)) return;
    if (entry.type === "removed") return removeAt(path);
    const there = lstatSync(path, { throwIfNoEntry: false });
    const stays = entry.type === "directory" && there?.isDirectory() === true;
    if (there !== undefined && !stays) removeOwn(path, lstatSync("/").dev);
    makeDirectories(dirname(path));
    if (entry.type === "symlink") {
      symlinkSync(entry.target, path);
      return;
    }
    const { mode, modifiedAt } = entry;
    if (entry.type === "directory") {
      if (!stays) mkdirSync(path);
      this.#modes.push([path, mode & 0o7777, modifiedAt]);
      return;
    }
    writeFileSync(path, content);
    chmodSync(path, mode & 0o7777);
    utimesSync(path, modifiedAt / 1_000, modifiedAt / 1_000);
  }

  /** What was put there is what an empty sandbox has, or what is stored. */
  settle(as: "given" | "kept"): void {
    for (const [path, mode, modifiedAt] of this.#modes.splice(0).reverse()) {
      lutimesSync(path, modifiedAt / 1_000, modifiedAt / 1_000);
      chmodSync(path, mode);
    }
    this.#kept = this.#look();
    if (as === "given") this.#given = this.#kept;
  }

  /** Tells what isn't stored yet. Throws when there is too much. */
  changes(onChange: OnChange): void {
    this.#lookedAt = this.#look();
    this.#tell(this.#kept, this.#lookedAt, onChange);
  }

  /** What was told last is stored. */
  keep(): void {
    this.#kept = this.#lookedAt ?? this.#kept;
    this.#lookedAt = undefined;
  }

  /** Tells all that differs from an empty sandbox, and the directories above that: who puts it elsewhere makes them as they are here. */
  snapshot(onChange: OnChange): void {
    const after = this.#look();
    const above = new Set<string>();
    for (const [path, look] of after)
      if (this.#given.get(path) !== look)
        for (let at = dirname(path); at !== "/" && !above.has(at); at = dirname(at)) above.add(at);
    const before = new Map([...this.#given].filter(([path]) => !above.has(path)));
    this.#tell(before, after, onChange);
  }

  #tell(before: Look, after: Look, onChange: OnChange): void {
    for (const path of before.keys()) {
      const given = this.#given.has(path);
      // What else was below it goes with it.
      if (after.has(path) || (!given && !after.has(dirname(path)))) continue;
      onChange(path, { type: "removed", given });
    }
    for (const [path, look] of after) {
      if (before.get(path) === look) continue;
      try {
        describe(path, onChange);
      } catch (cause) {
        // It went meanwhile, or became something else: the next look finds what it is now.
        if (!isGone(cause)) throw cause;
      }
    }
  }

  /** Parents come before what is in them. */
  #look(): Look {
    const root = lstatSync("/", { bigint: true });
    const found = new Map<string, string>([["/", "root"]]);
    let bytes = 0n;
    const enter = (directory: string): void => {
      for (const name of namesOf(directory)) {
        const path = `${directory === "/" ? "" : directory}/${name}`;
        if (this.#machineLinks.has(path)) continue;
        const stat = opened(path, 0, () => lstatSync(path, { bigint: true, throwIfNoEntry: false }));
        if (stat === undefined || stat.dev !== root.dev || !isKind(stat)) continue;
        found.set(path, fingerprint(stat));
        if (stat.isFile()) bytes += stat.size;
        if (found.size > this.#limits.files) throw tooMuch(`there are more than ${this.#limits.files} files`);
        if (stat.isDirectory()) enter(path);
      }
    };
    enter("/");
    if (bytes > BigInt(this.#limits.fileBytes))
      throw tooMuch(`the files are longer than ${this.#limits.fileBytes} bytes together`);
    return found;
  }
}

/** A lower layer may have something else above the path than when this was removed: nothing, a file, a link to another place. */
function removeAt(path: string): void {
  try {
    if (realpathSync(dirname(path)) === dirname(path)) removeOwn(path, lstatSync("/").dev);
  } catch (cause) {
    if (!isGone(cause)) throw cause;
  }
}

/** What is on another file system stays, and the directories above it: it may be the host's. */
function removeOwn(path: string, device: number): boolean {
  const stat = lstatSync(path);
  if (stat.dev !== device) return false;
  if (!stat.isDirectory()) {
    unlinkSync(path);
    return true;
  }
  let all = true;
  for (const name of readdirSync(path)) all = removeOwn(`${path}/${name}`, device) && all;
  if (all) rmdirSync(path);
  return all;
}

/** Whoever is told may have no other way than a command. */
function tooMuch(what: string): Error {
  return systemError("EDQUOT", `${what}, and nothing is saved: remove some, with rm or remove()`);
}

function isKind(stat: BigIntStats): boolean {
  return stat.isFile() || stat.isDirectory() || stat.isSymbolicLink();
}

/** A directory changes with its mode alone: what is in it is looked at by itself. */
function fingerprint(stat: BigIntStats): string {
  if (stat.isDirectory()) return `d ${stat.mode} ${stat.ino}`;
  return `${stat.mode} ${stat.ino} ${stat.size} ${stat.ctimeNs}`;
}

function namesOf(directory: string): string[] {
  try {
    return opened(directory, 0o700, () => namesIn(directory)).sort();
  } catch (cause) {
    if (isGone(cause)) return [];
    throw cause;
  }
}

function describe(path: string, onChange: OnChange): void {
  const stat = opened(path, 0, () => lstatSync(path));
  const { mode, mtimeMs } = stat;
  const head = { mode: mode & 0o7777, modifiedAt: Math.trunc(mtimeMs) };
  if (stat.isSymbolicLink())
    onChange(path, { type: "symlink", target: opened(path, 0, () => linkTarget(path)) });
  else if (stat.isDirectory()) onChange(path, { type: "directory", ...head });
  else onChange(path, { type: "file", ...head }, contentOf(path));
}

/** Never through a link, and never waiting for who writes a pipe: the path may have become one. */
function contentOf(path: string): Uint8Array {
  return opened(path, 0o600, () => {
    const file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      if (!fstatSync(file).isFile()) throw systemError("ENOENT", `${path} is no file any more`);
      return readFileSync(file);
    } finally {
      closeSync(file);
    }
  });
}

/** A mode, also one of a directory above, keeps out the sandbox's only user too; it is lifted for the time of a look. */
function opened<R>(path: string, mode: number, look: () => R): R {
  try {
    return look();
  } catch (cause) {
    if (codeOf(cause) !== "EACCES") throw cause;
  }
  const lifted: (readonly [path: string, mode: number])[] = [];
  const lift = (at: string, wanted: number): void => {
    const before = lstatSync(at).mode & 0o7777;
    if ((before & wanted) === wanted) return;
    chmodSync(at, before | wanted);
    lifted.push([at, before]);
  };
  try {
    for (const directory of directoriesAbove(path)) lift(directory, 0o700);
    lift(path, mode);
    return look();
  } finally {
    for (const [at, before] of lifted.reverse()) chmodSync(at, before);
  }
}

/** From the root on. */
function directoriesAbove(path: string): string[] {
  const parts = path.split("/").slice(1, -1);
  return parts.map((_, n) => `/${parts.slice(0, n + 1).join("/")}`);
}

function isGone(cause: unknown): boolean {
  return ["ENOENT", "ENOTDIR", "ELOOP", "ENXIO"].includes(codeOf(cause));
}
