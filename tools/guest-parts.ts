/**
 * Bundles a program as a core and parts that are run when they are first used (`packages/plugins/src/carriers/isolate/guest/parts.ts`).
 *
 * Each is a bundle of its own, to which modules of the others are external: what it imports of them becomes a property that is
 * read where it is used, and so the modules know nothing of it. What is exported across is what somebody imports: the
 * bundles are made until no further name turns up.
 */
import { relative } from "node:path";
import { type BuildOptions, build, type Plugin, type ResolveResult } from "esbuild";

/** What is bundled. */
export interface PartedProgram {
  /** Its module that runs. */
  readonly entry: string;
  /** Ids of modules are paths from here. */
  readonly root: string;
  /** The module that links scripts, part of the core. */
  readonly linker: string;
  /** Modules that belong to no part, whatever its folders are. */
  readonly core: readonly string[];
  /** Modules of each part by its name: whole, or a folder of them. */
  readonly parts: Readonly<Record<string, readonly string[]>>;
  readonly options: BuildOptions;
}

const CORE = "core";
const LINKER = "guest:parts";
const ENTRY = "guest:entry";

/** The scripts of a program: its core's, and its parts' by their names. */
export interface PartedScripts {
  readonly core: string;
  readonly parts: Readonly<Record<string, string>>;
  /** Paths of the files that they were made of. */
  readonly inputs: readonly string[];
}

/** Bundles one. Rejects as esbuild does. */
export async function bundleParts(program: PartedProgram): Promise<PartedScripts> {
  const making: Making = { program, wanted: new Map(), resolved: new Map() };
  const names = [CORE, ...Object.keys(program.parts)];
  const entries = new Map<string, string>();
  for (;;) {
    const changed = names.filter((name) => entries.get(name) !== entryOf(making, name));
    if (changed.length === 0) break;
    for (const name of changed) entries.set(name, entryOf(making, name));
    const texts = await Promise.all(changed.map((name) => bundle(making, name, "esm")));
    for (const text of texts) note(making.wanted, text);
  }
  const scripts = await Promise.all(names.map(async (name) => [name, await scriptOf(making, name)] as const));
  const { [CORE]: core = "", ...parts } = Object.fromEntries(scripts);
  const linked = `(()=>{${await linkerOf(program)};${core}(linker.required)})();`;
  const found = await Promise.all(making.resolved.values());
  const inputs = new Set([program.linker, ...found.map(({ path }) => path)]);
  return { core: linked, parts, inputs: [...inputs] };
}

/** What is known while a program is bundled. */
interface Making {
  readonly program: PartedProgram;
  /** Names that are imported of modules of other bundles, by `part:module`. */
  readonly wanted: Map<string, Set<string>>;
  /** Where imports lead, by their folder and text. */
  readonly resolved: Map<string, Promise<ResolveResult>>;
}

/** A function of what gives the exports of other bundles' modules. */
async function scriptOf(making: Making, name: string): Promise<string> {
  const text = `(require=>{"use strict";${await bundle(making, name, "cjs")}})`;
  return name === CORE ? text : `${text}\n//# sourceURL=troupe:guest/${name}`;
}

async function linkerOf({ linker, options }: PartedProgram): Promise<string> {
  const entryPoints = [linker];
  const iife = { format: "iife", globalName: "linker", minify: true } as const;
  const { outputFiles } = await build({ ...options, ...iife, entryPoints, bundle: true, write: false });
  return outputFiles[0]?.text ?? "";
}

/** What an unminified bundle imports of others. */
function note(wanted: Making["wanted"], text: string): void {
  for (const [, list = "", id = ""] of text.matchAll(/^import \{([^}]*)\} from "([^"]+)";$/gm)) {
    if (id === LINKER) continue;
    const names = wanted.get(id) ?? new Set();
    wanted.set(id, names);
    for (const each of list.split(",")) names.add(each.trim().split(" as ")[0] ?? "");
  }
}

async function bundle(making: Making, name: string, format: "esm" | "cjs"): Promise<string> {
  const { outputFiles } = await build({
    ...making.program.options,
    entryPoints: [ENTRY],
    bundle: true,
    write: false,
    format,
    minify: format === "cjs",
    plugins: [linked(making, name)],
  });
  return outputFiles[0]?.text ?? "";
}

/** Modules of other bundles are external, and this one's entry provides what they want of it. */
function linked(making: Making, name: string): Plugin {
  const { program, resolved } = making;
  return {
    name: "parts",
    setup: ({ onResolve, onLoad, resolve }) => {
      onResolve({ filter: /.*/ }, async ({ path, pluginData, ...from }) => {
        if (pluginData === "resolved") return undefined;
        if (path === ENTRY) return { path, namespace: "entry" };
        if (path === LINKER) return { path, external: true };
        const key = `${from.resolveDir} ${path}`;
        const finding = resolved.get(key) ?? resolve(path, { ...from, pluginData: "resolved" });
        resolved.set(key, finding);
        const found = await finding;
        if (found.path === program.linker) return { path: LINKER, external: true };
        const owner = ownerOf(program, found.path);
        if (found.errors.length > 0 || owner === name)
          return found.path === program.entry ? { ...found, sideEffects: true } : found;
        const id = `${owner}:${relative(program.root, found.path)}`;
        return { path: id, external: true, sideEffects: false };
      });
      onLoad({ filter: /.*/, namespace: "entry" }, () => ({
        contents: entryOf(making, name),
        resolveDir: program.root,
        loader: "js",
      }));
    },
  };
}

function ownerOf({ core, parts, root }: PartedProgram, path: string): string {
  const id = relative(root, path);
  if (core.includes(id)) return CORE;
  const owner = Object.entries(parts).find(([, modules]) => modules.some((each) => id.startsWith(each)));
  return owner?.[0] ?? CORE;
}

/** Runs the program, where it is the core's, and provides what others want: in one function, which is compiled when it is asked. */
function entryOf({ program, wanted }: Making, name: string): string {
  const lines = name === CORE ? [`import ${JSON.stringify(program.entry)};`] : [];
  const cases: string[] = [];
  let local = 0;
  for (const [id, names] of wanted) {
    const [owner, module] = id.split(":");
    if (owner !== name) continue;
    const locals = [...names].map((exported) => ({ exported, local: `x${local++}` }));
    const imports = locals.map((each) => `${each.exported} as ${each.local}`);
    const getters = locals.map((each) => `get ${each.exported}() { return ${each.local}; }`);
    lines.push(`import { ${imports.join(", ")} } from "./${module}";`);
    cases.push(`case ${JSON.stringify(id)}: return { ${getters.join(", ")} };`);
  }
  lines.push(`import { provide } from ${JSON.stringify(LINKER)};`);
  lines.push(`provide(${JSON.stringify(name)}, (id) => { switch (id) { ${cases.join(" ")} } });`);
  return lines.join("\n");
}
