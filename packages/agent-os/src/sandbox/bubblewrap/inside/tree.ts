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
 * from the root (/bin, /lib), sockets, pipes and devices. What can't be stored is named, and all else is told. While processes
 * write, a look finds each file as it is in that moment.
 */
import {
  chmodSync,
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  realpathSync,
  rmdirSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { dirname } from "node:path";
import { isGone, type Look, leaveOut, lengthIn, lookAtAll, type Pictures, type TreeLimits } from "./look.ts";
import { makeDirectories } from "./make-directories.ts";
import type { EntryHead, UnsavedPath } from "./messages.ts";
import { opened } from "./opened.ts";
import { systemError } from "./system-error.ts";
import { linkTarget, realPath } from "./text-names.ts";

/** Gets each changed path, parents first, with a file's content. */
export type OnChange = (path: string, entry: EntryHead, content?: Uint8Array) => void;

/** The files of a sandbox. */
export class Tree {
  readonly #limits: TreeLimits;
  /** Whoever had others in an image would have no commands. */
  readonly #machineLinks: ReadonlySet<string>;
  #given: Pictures = new Map();
  #kept: Pictures = new Map();
  #lookedAt: Look | undefined;
  /** Directories that get their modes when all that is in them is there. */
  readonly #modes: (readonly [path: string, mode: number, modifiedAt: number])[] = [];

  /** Now is an empty sandbox. */
  constructor(limits: TreeLimits) {
    this.#limits = limits;
    const links = readdirSync("/", { withFileTypes: true }).filter((entry) => entry.isSymbolicLink());
    this.#machineLinks = new Set(links.map(({ name }) => `/${name}`));
    this.#given = this.#look().found;
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

  /** What was put there is what an empty sandbox has, or what is stored. Throws when it is too much. */
  settle(as: "given" | "kept"): void {
    for (const [path, mode, modifiedAt] of this.#modes.splice(0).reverse()) {
      lutimesSync(path, modifiedAt / 1_000, modifiedAt / 1_000);
      chmodSync(path, mode);
    }
    const { found, unsaved } = this.#look();
    if (unsaved.some(({ code }) => code === "EDQUOT")) throw systemError("EDQUOT", "it is more than fits");
    this.#kept = found;
    if (as === "given") this.#given = this.#kept;
  }

  /** Tells what isn't stored yet, and gives what can't be. */
  changes(onChange: OnChange): readonly UnsavedPath[] {
    const look = this.#look();
    this.#tell(this.#kept, look, onChange);
    this.#lookedAt = look;
    return look.unsaved;
  }

  /** What was told last is stored. */
  keep(): void {
    this.#kept = this.#lookedAt?.found ?? this.#kept;
  }

  /** Why the last look didn't have what is at a path, if it didn't. */
  unsavedAt(path: string): UnsavedPath["code"] | undefined {
    let real: string | undefined;
    try {
      real = realPath(path);
    } catch (cause) {
      if (isGone(cause)) return undefined;
      throw cause;
    }
    if (real === undefined) return "EILSEQ";
    const isAt = (at: string) => at === "/" || real === at || real.startsWith(`${at}/`);
    return this.#lookedAt?.unsaved.find((unsaved) => unsaved.code !== "EILSEQ" && isAt(unsaved.path))?.code;
  }

  /**
   * Tells all that differs from an empty sandbox, and the directories above that: who puts it elsewhere makes them as they are here. Gives what
   * can't be told.
   */
  snapshot(onChange: OnChange): readonly UnsavedPath[] {
    const look = this.#look();
    const above = this.#aboveChanged(look.found);
    const before = new Map([...this.#given].filter(([path]) => !above.has(path)));
    this.#tell(before, look, onChange);
    return look.unsaved;
  }

  /** Tells the directories above what the last look found to differ from an empty sandbox, as far as they don't. */
  above(onChange: OnChange): void {
    const found = this.#lookedAt?.found ?? this.#kept;
    const above = this.#aboveChanged(found);
    const same = new Map(
      [...found].filter(([path, picture]) => above.has(path) && this.#given.get(path) === picture),
    );
    this.#tell(new Map(), { found: same, unsaved: [] }, onChange);
  }

  #aboveChanged(found: Pictures): Set<string> {
    const above = new Set<string>();
    for (const [path, picture] of found)
      if (this.#given.get(path) !== picture)
        for (let at = dirname(path); at !== "/" && !above.has(at); at = dirname(at)) above.add(at);
    return above;
  }

  #tell(before: Pictures, { found, unsaved }: Look, onChange: OnChange): void {
    for (const path of before.keys()) {
      const given = this.#given.has(path);
      // What else was below it goes with it.
      if (found.has(path) || (!given && !found.has(dirname(path)))) continue;
      onChange(path, { type: "removed", given });
    }
    for (const [path, picture] of found) {
      if (before.get(path) === picture) continue;
      try {
        if (describe(path, lengthIn(picture), onChange)) continue;
        unsaved.push({ path, code: "EILSEQ" });
        leaveOut(found, path, this.#kept);
      } catch (cause) {
        // It went meanwhile, or became something else: the next look finds what it is now.
        if (!isGone(cause)) throw cause;
      }
    }
  }

  #look(): Look {
    return lookAtAll(this.#limits, this.#machineLinks, this.#kept);
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

/** False: it can't be told of. */
function describe(path: string, length: number, onChange: OnChange): boolean {
  const stat = opened(path, 0, () => lstatSync(path));
  const { mode, mtimeMs } = stat;
  const head = { mode: mode & 0o7777, modifiedAt: Math.trunc(mtimeMs) };
  if (stat.isSymbolicLink()) {
    const target = opened(path, 0, () => linkTarget(path));
    if (target === undefined) return false;
    onChange(path, { type: "symlink", target });
  } else if (stat.isDirectory()) onChange(path, { type: "directory", ...head });
  else onChange(path, { type: "file", ...head }, contentOf(path, length));
  return true;
}

/**
 * Never through a link, and never waiting for who writes a pipe: the path may have become one. No longer than it was when it was looked at: what has
 * come since may be more than fits, and the next look finds it.
 */
function contentOf(path: string, length: number): Uint8Array {
  return opened(path, 0o600, () => {
    const file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      const stat = fstatSync(file);
      if (!stat.isFile()) throw systemError("ENOENT", `${path} is no file any more`);
      const content = Buffer.allocUnsafeSlow(Math.min(length, stat.size));
      let bytes = 0;
      for (let read = -1; read !== 0 && bytes < content.byteLength; bytes += read)
        read = readSync(file, content, bytes, content.byteLength - bytes, bytes);
      return content.subarray(0, bytes);
    } finally {
      closeSync(file);
    }
  });
}
