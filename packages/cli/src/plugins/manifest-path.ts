/** What people call a plugin that is on disk: its manifest, or the folder that has it. */
import { existsSync } from "node:fs";
import { stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { findInstalled, type InstalledPlugin, MANIFEST_NAME } from "@troupe/plugins/installed";
import type { Voice } from "./terminal.ts";

/** The plugin that is meant by a name: one that is installed before a folder of the same name. Undefined: it is a path. */
export function installedByName(
  voice: Voice,
  installed: readonly InstalledPlugin[],
  name: string,
): InstalledPlugin | undefined {
  // An id has no slash and no dot.
  if (/[/\\.]/.test(name)) return undefined;
  const isListed = installed.some(({ id }) => id === name);
  if (!isListed && existsSync(join(resolve(voice.cwd, name), MANIFEST_NAME))) return undefined;
  return findInstalled(installed, name, voice.scope);
}

/** The manifest's path, absolute. It may be that nothing is there. */
export async function manifestPath(cwd: string, name: string): Promise<string> {
  const path = resolve(cwd, name);
  const isFolder = await stat(path).then(
    (stats) => stats.isDirectory(),
    () => false,
  );
  return isFolder ? join(path, MANIFEST_NAME) : path;
}
