/**
 * FileWatch: what changed in a shell's files since the last look.
 *
 * Each method of the file system that changes something notes its path, so that changes are told without looking at every
 * file. just-bash itself has no such thing.
 */
import type { InMemoryFs } from "just-bash";
import type { ImageChanges, ImageEntry } from "../file-store.ts";

/** Methods of the file system by the arguments that name what they change. */
const writers = {
  writeFileSync: [0],
  mkdirSync: [0],
  writeFile: [0],
  appendFile: [0],
  mkdir: [0],
  rm: [0],
  cp: [1],
  mv: [0, 1],
  chmod: [0],
  symlink: [1],
  link: [1],
  utimes: [0],
} as const satisfies Partial<Record<keyof InMemoryFs, readonly number[]>>;

/** Methods that change all that is below a path, too. */
const deep: ReadonlySet<string> = new Set(["rm", "cp", "mv"]);

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
    for (const [name, places] of Object.entries(writers)) this.#watch(name, places);
  }

  /** What changed since the last time, parents first. */
  async take(): Promise<ImageChanges> {
    if (this.#touched.size === 0) return [];
    const paths = new Set<string>();
    for (const path of this.#touched) {
      paths.add(await this.#canonical(path));
      // What a link leads to changes with what was written through it.
      const real = await this.#files.realpath(path).catch(() => undefined);
      if (real !== undefined) paths.add(real);
    }
    if (this.#touchedBelow.size > 0) await this.#addBelow(paths);
    this.#touched.clear();
    this.#touchedBelow.clear();
    for (const path of [...paths]) addParents(path, paths);
    const changes: [string, ImageEntry][] = [];
    for (const path of [...paths].sort()) changes.push([path, await this.#entryOf(path)]);
    return changes;
  }

  /** Called by the file system itself for what is below, some methods call others: a path may be noted many times. */
  #watch(name: string, places: readonly number[]): void {
    const method: unknown = Reflect.get(this.#files, name);
    if (typeof method !== "function") return;
    Reflect.set(this.#files, name, (...args: unknown[]): unknown => {
      for (const place of places) {
        const path = args[place];
        if (typeof path !== "string") continue;
        this.#touched.add(path);
        if (deep.has(name)) this.#touchedBelow.add(path);
      }
      return Reflect.apply(method, this.#files, args);
    });
  }

  async #addBelow(paths: Set<string>): Promise<void> {
    const roots: string[] = [];
    for (const path of this.#touchedBelow) {
      const root = await this.#canonical(path);
      const stat = await this.#files.lstat(root).catch(() => undefined);
      if (stat?.isDirectory === true) roots.push(`${root}/`);
    }
    if (roots.length === 0) return;
    for (const path of this.#files.getAllPaths()) {
      if (roots.some((root) => path.startsWith(root))) paths.add(path);
    }
  }

  /** The path without links before its last part: the one name that an entry is kept under. */
  async #canonical(path: string): Promise<string> {
    const absolute = this.#files.resolvePath("/", path);
    const cut = absolute.lastIndexOf("/");
    const parent = await this.#files.realpath(absolute.slice(0, cut) || "/").catch(() => undefined);
    return parent === undefined ? absolute : `${parent === "/" ? "" : parent}${absolute.slice(cut)}`;
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

/** Directories that were made on the way to a path; the root is always there. */
function addParents(path: string, paths: Set<string>): void {
  for (let cut = path.lastIndexOf("/"); cut > 0; cut = path.lastIndexOf("/", cut - 1))
    paths.add(path.slice(0, cut));
  paths.delete("/");
}
