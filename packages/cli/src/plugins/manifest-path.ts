/** What people call a plugin that is on disk: its manifest, or the folder that has it. */
import { existsSync } from "node:fs";
import { stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { MANIFEST_NAME } from "@troupe/plugins";

/** Whether a name is a path, and not an id: an id has no slash and no dot. */
export function namesPath(cwd: string, name: string): boolean {
  return /[/\\.]/.test(name) || existsSync(join(resolve(cwd, name), MANIFEST_NAME));
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
