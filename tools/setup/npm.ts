/** Installs packages of npm into a folder of the cache, for tests that run them as programs. */
import { writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { command } from "../command.ts";
import { cache, madeWhole } from "./cache.ts";

/** A package that isn't among the repository's own: too large for everybody's `npm install`. */
export interface CachedPackage {
  readonly name: string;
  readonly version: string;
  /** What must stand in the same folder, as `name@version`. */
  readonly beside?: readonly string[];
}

/** Where a program of it is, once it is installed. */
export function cachedProgram(wanted: CachedPackage, program: string): string {
  return join(folderOf(wanted), "node_modules/.bin", program);
}

/** Installs it. Gives undefined when that worked, otherwise the reason as the end of a sentence. */
export function installWithNpm(wanted: CachedPackage): Promise<string | undefined> {
  const { name, version, beside = [] } = wanted;
  return madeWhole(folderOf(wanted), async (half) => {
    await writeFile(join(half, "package.json"), JSON.stringify({ private: true }));
    const flags = ["--ignore-scripts", "--omit=optional", "--no-audit", "--no-fund"];
    const args = ["install", ...flags, `${name}@${version}`, ...beside];
    const { status } = await command("npm", args, { cwd: half, timeoutMs: 300_000 });
    return status === 0 ? undefined : `\`npm install ${name}@${version}\` failed`;
  });
}

function folderOf({ name, version }: CachedPackage): string {
  return join(cache, `${basename(name)}-${version}`);
}
