/**
 * Fills the cache of compiled sources before any test runs. A process writes what it has compiled when it ends, and many of
 * a test's are killed instead.
 */
import { existsSync, globSync, readdirSync } from "node:fs";
import { join, parse } from "node:path";
import { pathToFileURL } from "node:url";
import { command } from "../command.ts";

const root = join(import.meta.dirname, "../..");

/** What processes of tests load from: each file of these folders. */
const folders = [
  "packages/troupe/src",
  "packages/runtime/src/node/sqlite/sql-process",
  "packages/plugins/src/worker",
  "packages/plugins/src/carriers/isolate/process",
  "packages/agent-os/src/sandbox/embedded",
];
const built = "packages/troupe/dist";
/** They run when they are loaded: they are compiled and no more. */
const programs = new Set([
  "bin",
  "main",
  "helper-main",
  "native-main",
  "checked-main",
  "worker-main",
  "guard-worker",
  "worker-guard",
]);

/** Other flags, another cache: those of `isolate-process.ts`. */
const isolates = ["--no-node-snapshot", "--no-opt", "--no-concurrent-recompilation"];

/** What processes load that isn't among the sources. */
const shells = `
  const { importJustBash } = await import("./packages/agent-os/src/sandbox/embedded/shell-text.ts");
  await importJustBash().catch(() => undefined);`;

/** Called by vitest, once. */
export default async function fillCompileCache(): Promise<void> {
  const source = "--conditions=troupe-source";
  const isolate = filesOf(["packages/plugins/src/carriers/isolate/process"], ".ts");
  const servers = globSync("examples/*/{server,client}.ts", { cwd: root }).map((path) => join(root, path));
  await Promise.all([
    load([source], filesOf(folders, ".ts").map(importOf), shells),
    load([...isolates, source], isolate.map(importOf)),
    // Examples run on what was built, if that is there.
    existsSync(join(root, built))
      ? load([], [...filesOf([built], ".js").map(importOf), ...servers.map(compiled)])
      : undefined,
  ]);
}

function filesOf(from: readonly string[], extension: string): string[] {
  const paths = from.flatMap((folder) =>
    readdirSync(join(root, folder)).map((file) => join(root, folder, file)),
  );
  // Those that aren't run come last, when what they import is there.
  const runs = (path: string): number => Number(programs.has(parse(path).name));
  return paths.filter((path) => path.endsWith(extension)).toSorted((one, other) => runs(one) - runs(other));
}

async function load(flags: readonly string[], imports: readonly string[], also = ""): Promise<void> {
  const args = [...flags, "--input-type=module", "--eval", [...imports, also].join("\n")];
  const { status, output } = await command(process.execPath, args, { cwd: root, timeoutMs: 120_000 });
  // Who lacks a native package has no process that loads it.
  if (status !== 0 && !output.includes("isolated-vm")) throw new Error(`The sources don't load:\n${output}`);
}

function importOf(path: string): string {
  return programs.has(parse(path).name) ? compiled(path) : `await import(${JSON.stringify(path)});`;
}

/** An import of it that fails when all is compiled and before any of it runs: Node has nothing of that name. */
function compiled(path: string): string {
  const importer = `import ${JSON.stringify(pathToFileURL(path).href)}; import { nothingOfThatName } from "node:fs";`;
  return `await import(${JSON.stringify(`data:text/javascript,${encodeURIComponent(importer)}`)}).catch(() => {});`;
}
