/**
 * Fills the cache of compiled sources before any test runs. A process writes what it has compiled when it ends, and many of
 * a test's are killed instead.
 */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { command } from "../command.ts";

const packages = join(import.meta.dirname, "../../packages");

/** What processes of tests load from: each file of these folders but those that are programs, which would run. */
const folders = [
  "troupe/src",
  "runtime/src/node/sqlite/sql-process",
  "plugins/src/worker",
  "plugins/src/carriers/isolate/process",
];
const programs = new Set([
  "bin.ts",
  "main.ts",
  "helper-main.ts",
  "native-main.ts",
  "checked-main.ts",
  "guard-worker.ts",
]);

/** Other flags, another cache: those of `isolate-process.ts`. */
const isolates = ["--no-node-snapshot", "--no-opt", "--no-concurrent-recompilation"];

/** Called by vitest, once. */
export default async function fillCompileCache(): Promise<void> {
  await Promise.all([load([], folders), load(isolates, folders.slice(-1))]);
}

async function load(flags: readonly string[], from: readonly string[]): Promise<void> {
  const files = from.flatMap((folder) =>
    readdirSync(join(packages, folder))
      .filter((file) => file.endsWith(".ts") && !programs.has(file))
      .map((file) => join(packages, folder, file)),
  );
  const imports = files.map((file) => `import ${JSON.stringify(file)};`);
  const args = [...flags, "--conditions=troupe-source", "--input-type=module", "--eval", imports.join("\n")];
  const { status, output } = await command(process.execPath, args, { cwd: packages, timeoutMs: 120_000 });
  // Who lacks a native package has no process that loads it.
  if (status !== 0 && !output.includes("isolated-vm")) throw new Error(`The sources don't load:\n${output}`);
}
