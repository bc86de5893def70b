/**
 * The repository as the checks see it: files, their text, their syntax, and the packages. Read once and kept, so that
 * sixteen checks parse each file a single time.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { SourceModule } from "./source-module.ts";

/** The fields of a package.json that the checks read. */
export interface Manifest {
  readonly name: string;
  readonly license?: string;
  readonly scripts?: Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly exports?: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

export interface Package {
  /** The folder's name under `packages/`. */
  readonly folder: string;
  readonly manifest: Manifest;
}

// What is installed, built or left by a run is not part of the repository.
const skippedFolders = new Set(["node_modules", "dist", ".git", ".troupe", "coverage", "target"]);

export class Repository {
  readonly root: string;
  readonly #texts = new Map<string, string>();
  readonly #modules = new Map<string, SourceModule>();
  #files: readonly string[] | undefined;
  #packages: readonly Package[] | undefined;

  constructor(root: string) {
    this.root = root;
  }

  /** Every file, as a sorted path with forward slashes, relative to the root. */
  files(): readonly string[] {
    this.#files ??= list(this.root, "").sort();
    return this.#files;
  }

  /** Every TypeScript file that people write: packages, tests, tools, examples. */
  modules(): readonly SourceModule[] {
    return (
      this.files()
        // A file may go while the checks run: somebody is at work.
        .filter((path) => /\.tsx?$/.test(path) && !isGenerated(path) && this.has(path))
        .map((path) => this.module(path))
    );
  }

  /** What generators wrote: no check reads it but those that ask what it needs. */
  generated(): readonly SourceModule[] {
    return this.files()
      .filter((path) => path.endsWith(".ts") && isGenerated(path))
      .map((path) => this.module(path));
  }

  /** The TypeScript files that are published: `packages/<name>/src`. */
  sources(): readonly SourceModule[] {
    return this.modules().filter((module) => isSource(module.path));
  }

  has(path: string): boolean {
    return existsSync(join(this.root, path));
  }

  text(path: string): string {
    const known = this.#texts.get(path);
    if (known !== undefined) return known;
    const text = readFileSync(join(this.root, path), "utf8");
    this.#texts.set(path, text);
    return text;
  }

  json<T>(path: string): T {
    return JSON.parse(this.text(path));
  }

  module(path: string): SourceModule {
    const known = this.#modules.get(path);
    if (known !== undefined) return known;
    const module = new SourceModule(path, this.text(path));
    this.#modules.set(path, module);
    return module;
  }

  /** The workspaces under `packages/`. */
  packages(): readonly Package[] {
    this.#packages ??= this.files()
      .filter((path) => /^packages\/[^/]+\/package\.json$/.test(path))
      .map((path) => ({ folder: path.split("/")[1] ?? "", manifest: this.json<Manifest>(path) }));
    return this.#packages;
  }
}

/** True for what a generator writes from a schema: a test compares it with the generator's answer. */
export function isGenerated(path: string): boolean {
  return path.includes("/src/generated/");
}

/** True for a file that is published as part of a package. */
export function isSource(path: string): boolean {
  return /^packages\/[^/]+\/src\//.test(path) && !isTest(path);
}

/** True for a test file or what only tests use; the kits in `conformance/` are stories too. */
export function isTest(path: string): boolean {
  return /\.test\.tsx?$/.test(path) || /(^|\/)test\//.test(path) || path.startsWith("conformance/");
}

function list(root: string, folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
    if (entry.isDirectory()) return skippedFolders.has(entry.name) ? [] : list(root, path);
    return entry.isFile() ? [path] : [];
  });
}
