/**
 * Load: which file of a plugin is run, and how.
 *
 * `integrity` belongs to it: the digest of that file, and those of every other file of the plugin that is run with it. With
 * any digest there, nothing else of the plugin's folder is run.
 */

import { rules } from "./rules.ts";
import type { Table, TextRule } from "./table.ts";

/** The kinds of plugins, by what carries them. */
export type PluginKind = PluginLoad["kind"];

/** What is run of a plugin. */
export type PluginLoad = NativeLoad | WorkerLoad | ModuleLoad | IsolateLoad | WasmLoad;

/** SHA-256 of files, 64 hexadecimal digits each. */
export interface Integrity {
  /** Of the file that `load` names. */
  readonly sha256: string | undefined;
  /** Of other files that are run, by their paths relative to the manifest. */
  readonly files: ReadonlyMap<string, string>;
}

/** A shared library. */
export interface NativeLoad extends Integrity {
  readonly kind: "native";
  /** Relative to the manifest. */
  readonly library: string;
  /** `in_process` is what the plugin wishes for: it needs a digest and the user's trust, and is a process without. */
  readonly isolation: Isolation;
}

/** Where a library runs. */
export type Isolation = "process" | "in_process";

/** An executable that runs as a process of its own. */
export interface WorkerLoad extends Integrity {
  readonly kind: "worker";
  readonly runtime: WorkerRuntime;
  /** Relative to the manifest. */
  readonly entrypoint: string;
  /** Arguments of the program. */
  readonly args: readonly string[];
  /** Names of the host's environment variables that the process gets. It gets no other. */
  readonly env: readonly string[];
}

/**
 * How a worker is run. `node`: an ES module, run by the host's own Node. `python`: a script. `command`, `rust`: a program.
 */
export type WorkerRuntime = "node" | "python" | "rust" | "command";

/** An ES module that runs in the host's process: only for those who trust it. */
export interface ModuleLoad extends Integrity {
  readonly kind: "module";
  /** Relative to the manifest. Its default export is the plugin. */
  readonly module: string;
}

/** An ES module that is one actor, in an isolate in a process of its own. */
export interface IsolateLoad extends Integrity {
  readonly kind: "isolate";
  /** Relative to the manifest. Its default export is what `actor({ … })` gives. */
  readonly module: string;
}

/** A core module of WebAssembly, in a thread of its own. */
export interface WasmLoad extends Integrity {
  readonly kind: "wasm";
  /** Relative to the manifest. */
  readonly wasm: string;
}

/** The kinds that there are. */
export const pluginKinds: readonly PluginKind[] = ["native", "worker", "module", "isolate", "wasm"];

/** Reads `load` and `integrity` of a plugin of that kind. Throws `plugin.manifest_*`. */
export function readLoad(kind: PluginKind, load: Table, integrity: Table): PluginLoad {
  const digests = readIntegrity(integrity);
  const read = readers[kind](load);
  load.end();
  return { ...read, ...digests };
}

/** The key of the file that is run, and its path. */
export function entryOf(load: PluginLoad): { readonly key: string; readonly path: string } {
  switch (load.kind) {
    case "native":
      return { key: "load.library", path: load.library };
    case "worker":
      return { key: "load.entrypoint", path: load.entrypoint };
    case "module":
    case "isolate":
      return { key: "load.module", path: load.module };
    case "wasm":
      return { key: "load.wasm", path: load.wasm };
  }
}

/** The digests of all files that may be run, by path; empty: any file may. */
export function digestsOf(load: PluginLoad): ReadonlyMap<string, string> {
  const { sha256, files } = load;
  return sha256 === undefined ? files : new Map([[entryOf(load).path, sha256], ...files]);
}

type Unchecked<L extends PluginLoad> = L extends PluginLoad ? Omit<L, keyof Integrity> : never;

const readers: { readonly [K in PluginKind]: (load: Table) => Unchecked<Extract<PluginLoad, { kind: K }>> } =
  {
    native: (load) => ({
      kind: "native",
      library: load.text("library", rules.path),
      isolation: load.oneOf<Isolation>("isolation", ["process", "in_process"], "process"),
    }),
    worker: (load) => ({
      kind: "worker",
      runtime: load.oneOf<WorkerRuntime>("runtime", ["node", "python", "rust", "command"]),
      entrypoint: load.text("entrypoint", rules.path),
      args: load.list("args", rules.argument),
      env: load.texts("env", rules.variable),
    }),
    module: (load) => ({ kind: "module", module: load.text("module", rules.path) }),
    isolate: (load) => ({ kind: "isolate", module: load.text("module", rules.path) }),
    wasm: (load) => ({ kind: "wasm", wasm: load.text("wasm", rules.path) }),
  };

/** Digests of other files without one of the entry would leave the entry unchecked, and look as if it were. */
function readIntegrity(integrity: Table): Integrity {
  const files = integrity.entries("files", { name: rules.path, value: rules.digest });
  const rule: TextRule = rules.digest;
  const sha256 = files.size > 0 ? integrity.text("sha256", rule) : integrity.optionalText("sha256", rule);
  integrity.end();
  return { sha256, files };
}
