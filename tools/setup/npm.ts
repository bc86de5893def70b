/** Installs packages of npm into a folder of the cache, for tests that run them as programs. */
import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { command } from "../command.ts";

/** A package that isn't among the repository's own. */
export interface CachedPackage {
  readonly name: string;
  readonly version: string;
  /** What must stand in the same folder, as `name@version`. */
  readonly beside?: readonly string[];
}

const cache = join(import.meta.dirname, "../../node_modules/.cache/troupe-programs");

/** Where a program of it is, once it is installed. */
export function cachedProgram(wanted: CachedPackage, program: string): string {
  return join(folderOf(wanted), "node_modules/.bin", program);
}

/** Installs it, whole or not at all. Gives undefined when that worked, otherwise the reason as the end of a sentence. */
export async function installWithNpm(wanted: CachedPackage): Promise<string | undefined> {
  const folder = folderOf(wanted);
  const half = `${folder}.half`;
  await rm(half, { recursive: true, force: true });
  await mkdir(half, { recursive: true });
  await writeFile(join(half, "package.json"), JSON.stringify({ private: true }));
  const { name, version, beside = [] } = wanted;
  const flags = ["--ignore-scripts", "--omit=optional", "--no-audit", "--no-fund"];
  const args = ["install", ...flags, `${name}@${version}`, ...beside];
  const { status } = await command("npm", args, { cwd: half, timeoutMs: 300_000 });
  if (status !== 0) return `\`npm install ${name}@${version}\` failed`;
  await mkdir(dirname(folder), { recursive: true });
  await rm(folder, { recursive: true, force: true });
  await rename(half, folder);
  return undefined;
}

function folderOf({ name, version }: CachedPackage): string {
  return join(cache, `${basename(name)}-${version}`);
}
