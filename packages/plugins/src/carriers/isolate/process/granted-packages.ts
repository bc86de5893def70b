/**
 * Packages that a source may import because its program granted them: ES modules of this machine, compiled into the isolate, where they can
 * do what the source can and no more.
 *
 * A grant is a name and the file that it means. What that file imports by relative paths is granted with it, as far as it is in the
 * same package: in the nearest folder above that has a package.json. Anything else that it imports needs a grant of its own.
 */
import { access, realpath } from "node:fs/promises";
import { dirname, join, relative, sep } from "node:path";
import { limits } from "@troupe/protocol";
import type ivm from "isolated-vm";
import { readBounded } from "../../../bounded-file.ts";
import { LoadError } from "./load-error.ts";

/** A file of a granted package. */
interface PackageFile {
  readonly path: string;
  /** The package's folder. */
  readonly root: string;
  /** The name that it is granted under. */
  readonly name: string;
}

/** Those of one isolate. */
export class GrantedPackages {
  readonly #isolate: ivm.Isolate;
  readonly #granted: ReadonlyMap<string, string>;
  readonly #modules = new Map<string, Promise<ivm.Module>>();
  readonly #files = new Map<ivm.Module, PackageFile>();

  constructor(isolate: ivm.Isolate, granted: Readonly<Record<string, string>> = {}) {
    this.#isolate = isolate;
    this.#granted = new Map(Object.entries(granted));
  }

  /** The names that may be imported. */
  get names(): readonly string[] {
    return [...this.#granted.keys()];
  }

  /** What `referrer` means by it; undefined: nothing that was granted. Rejects with a LoadError for what can't be compiled. */
  async find(specifier: string, referrer: ivm.Module): Promise<ivm.Module | undefined> {
    const file = await this.#resolve(specifier, this.#files.get(referrer)).catch((cause: unknown) => {
      if (this.#granted.has(specifier)) throw unreadable(specifier, cause);
      return undefined;
    });
    if (file === undefined) return undefined;
    // Two imports of it at once are one module.
    const known = this.#modules.get(file.path) ?? this.#compile(file);
    this.#modules.set(file.path, known);
    return await known;
  }

  async #resolve(specifier: string, from: PackageFile | undefined): Promise<PackageFile | undefined> {
    const granted = this.#granted.get(specifier);
    if (granted !== undefined) {
      const path = await realpath(granted);
      return { path, root: await rootOf(path), name: specifier };
    }
    if (from === undefined || !/^\.{1,2}\//.test(specifier)) return undefined;
    const path = await realpath(join(dirname(from.path), specifier));
    return path.startsWith(from.root + sep) ? { ...from, path } : undefined;
  }

  async #compile(file: PackageFile): Promise<ivm.Module> {
    const filename = join(file.name, relative(file.root, file.path));
    const limitBytes = limits.isolateSourceBytes;
    const text = await readBounded(file.path, {
      limitBytes,
      tooLarge: (bytes) =>
        new LoadError({
          code: "load_failed",
          message: `${filename} has ${bytes} bytes; the limit is ${limitBytes}`,
        }),
    }).catch((cause: unknown) => {
      throw cause instanceof LoadError ? cause : unreadable(file.name, cause);
    });
    const module = await this.#isolate
      .compileModule(text.toString(), { filename })
      .catch((cause: unknown) => {
        throw new LoadError({ code: "syntax_error", message: `${filename}: ${String(cause)}` });
      });
    this.#files.set(module, file);
    return module;
  }
}

/** Where it should be is for the program's log: its source only knows it by its name. */
function unreadable(name: string, cause: unknown): LoadError {
  const message = `The granted package "${name}" can't be read`;
  return new LoadError({ code: "load_failed", message, thrown: String(cause) });
}

async function rootOf(path: string): Promise<string> {
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    const isRoot = await access(join(folder, "package.json")).then(
      () => true,
      () => false,
    );
    if (isRoot) return folder;
    // Of a file that belongs to no package, what is beside it is its own.
    if (folder === dirname(folder)) return dirname(path);
  }
}
