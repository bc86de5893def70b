/**
 * The servers of these tests, each bundled with the runtime into one file: a run starts more than a hundred of them, and to load
 * the sources one by one takes most of the work of a start.
 */
import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { buildSync } from "esbuild";

const root = join(import.meta.dirname, "../..");
const folder = join(root, "node_modules/.cache/troupe-test-servers");
const sqlite = join(root, "packages/runtime/src/node/sqlite");
/** The runtime looks for the files of its threads beside its own. */
const threads = ["disk-worker.ts", "checkpoint-worker.ts", "own/sync-worker.ts", "own/statement-worker.ts"];
// What is CommonJS in it, as `ws`, asks for Node's modules by `require`.
const require = `import { createRequire } from "node:module"; const require = createRequire(import.meta.url);`;

/** Bundles `script`, and gives the file to run. */
export function bundleServer(script: string): string {
  const { outputFiles } = buildSync({
    entryPoints: [script, ...threads.map((file) => join(sqlite, file))],
    outdir: folder,
    entryNames: "[name]",
    bundle: true,
    write: false,
    format: "esm",
    platform: "node",
    target: "node24",
    conditions: ["troupe-source"],
    // Has a part that is compiled for the machine; only dynamic actors ask for it.
    external: ["isolated-vm"],
    banner: { js: require },
  });
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "package.json"), `{ "type": "module" }`);
  for (const { path, contents } of outputFiles) {
    // Another file's tests may be starting the same one.
    writeFileSync(`${path}.${process.pid}`, contents);
    renameSync(`${path}.${process.pid}`, path);
  }
  return join(folder, basename(script).replace(/\.ts$/, ".js"));
}
