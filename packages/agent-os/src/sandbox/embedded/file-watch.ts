/**
 * FileWatch: what changed in a shell's files since the last look.
 *
 * Each method of the file system that changes something notes its path, so that changes are told without looking at every
 * file. just-bash itself has no such thing, and takes names of any length.
 */
import type { InMemoryFs } from "just-bash";
import { isDevice } from "../devices.ts";
import type { ImageChanges, ImageEntry } from "../file-store.ts";
import { type FileWriter, fileWriters } from "./file-methods.ts";
import { checkPath, checkTarget } from "./path-names.ts";

/** Watches a file system. */
export class FileWatch {
  readonly #files: InMemoryFs;
  /** Paths that an empty sandbox has. */
  readonly #given: ReadonlySet<string>;
  readonly #touched = new Set<string>();
  readonly #touchedBelow = new Set<string>();

  constructor(files: InMemoryFs, given: ReadonlySet<string>) {
    this.#files = files;
    this.#given = given;
    for (const [name, writer] of fileWriters) this.#watch(name, writer);
  }

  /** What changed since the last time, parents first. */
  async take(): Promise<ImageChanges> {
    if (this.#touched.size === 0) return [];
    const paths = new Set<string>();
    // Given paths above which there is a link now: who looks there looks elsewhere.
    const hidden = new Set<string>();
    for (const touched of this.#touched) {
      const path = this.#files.resolvePath("/", touched);
      const own = await this.#canonical(path);
      paths.add(own);
      if (own !== path && this.#given.has(path)) hidden.add(path);
      // What a link leads to changes with what was written through it.
      const real = await this.#files.realpath(path).catch(() => undefined);
      if (real !== undefined) paths.add(real);
    }
    if (this.#touchedBelow.size > 0) await this.#addBelow(paths);
    this.#touched.clear();
    this.#touchedBelow.clear();
    for (const path of [...paths]) addParents(path, paths);
    const changes: [string, ImageEntry][] = [];
    const removed = new Set<string>();
    for (const path of [...new Set([...paths, ...hidden])].sort()) {
      if (isDevice(path)) continue;
      const entry = hidden.has(path) ? REMOVED : await this.#entryOf(path);
      if (entry.type === "removed") removed.add(path);
      // It goes with what was above it.
      const isTold = entry.type === "removed" && !entry.given && removed.has(parentOf(path));
      if (!isTold) changes.push([path, entry]);
    }
    return changes;
  }

  /** Called by the file system itself for what is below, some methods call others: a path may be noted many times. */
  #watch(name: string, { changes, leads, deep, makes }: FileWriter): void {
    const method: unknown = Reflect.get(this.#files, name);
    if (typeof method !== "function") return;
    const note = (args: readonly unknown[]): void => {
      if (makes) checkMade(name, args, changes);
      for (const place of changes) {
        const path = args[place];
        if (typeof path !== "string") continue;
        this.#touched.add(path);
        if (deep) this.#touchedBelow.add(path);
      }
    };
    const isSync = leads.length === 0;
    Reflect.set(this.#files, name, (...args: unknown[]): unknown => {
      try {
        note(args);
      } catch (cause) {
        if (isSync) throw cause;
        return Promise.reject(cause);
      }
      return Reflect.apply(method, this.#files, args);
    });
  }

  async #addBelow(paths: Set<string>): Promise<void> {
    const roots = new Set<string>();
    for (const path of this.#touchedBelow) {
      const root = await this.#canonical(this.#files.resolvePath("/", path));
      const stat = await this.#files.lstat(root).catch(() => undefined);
      if (stat?.isDirectory === true) roots.add(root);
    }
    if (roots.size === 0) return;
    for (const path of this.#files.getAllPaths()) {
      let above = parentOf(path);
      while (above !== "" && !roots.has(above)) above = parentOf(above);
      if (above !== "") paths.add(path);
    }
  }

  /** The path without links before its last part: the one name that an entry is kept under. */
  async #canonical(path: string): Promise<string> {
    const cut = path.lastIndexOf("/");
    const parent = await this.#files.realpath(path.slice(0, cut) || "/").catch(() => undefined);
    return parent === undefined ? path : `${parent === "/" ? "" : parent}${path.slice(cut)}`;
  }

  async #entryOf(path: string): Promise<ImageEntry> {
    const stat = await this.#files.lstat(path).catch(() => undefined);
    if (stat === undefined) return { type: "removed", given: this.#given.has(path) };
    const modifiedAt = stat.mtime.getTime();
    if (stat.isSymbolicLink) return { type: "symlink", target: await this.#files.readlink(path) };
    if (stat.isDirectory) return { type: "directory", mode: stat.mode, modifiedAt };
    const content = await this.#files.readFileBuffer(path);
    return { type: "file", content, mode: stat.mode, modifiedAt };
  }
}

const REMOVED: ImageEntry = { type: "removed", given: true };

/** Throws "ENAMETOOLONG: …" where what would be made, or what a link would lead to, has no name that a real file system takes. */
function checkMade(name: string, args: readonly unknown[], places: readonly number[]): void {
  const [target] = args;
  if (name === "symlink" && typeof target === "string") checkTarget(target);
  const path = args[places.at(-1) ?? 0];
  if (typeof path === "string") checkPath(path);
}

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/"));
}

/** Directories that were made on the way to a path; the root is always there. */
function addParents(path: string, paths: Set<string>): void {
  for (let above = parentOf(path); above !== "" && !paths.has(above); above = parentOf(above))
    paths.add(above);
  paths.delete("/");
}
