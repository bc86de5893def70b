/**
 * Fills the cache of compiled sources before any test runs. A process writes what it has compiled when it ends, and many of
 * a test's are killed instead.
 */
import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { command } from "../command.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const entries = fileURLToPath(new URL("../../packages/troupe/src/", import.meta.url));

/** Called by vitest, once. */
export default async function fillCompileCache(): Promise<void> {
  // The executable would run.
  const files = readdirSync(entries).filter((file) => file.endsWith(".ts") && file !== "bin.ts");
  const imports = files.map((file) => `import ${JSON.stringify(entries + file)};`);
  const args = ["--conditions=troupe-source", "--input-type=module", "--eval", imports.join("\n")];
  const { status, output } = await command(process.execPath, args, { cwd: root, timeoutMs: 120_000 });
  if (status !== 0) throw new Error(`The sources don't load:\n${output}`);
}
