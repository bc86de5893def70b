/** Where a program is that is named as in a shell: by a path, or by a name in the PATH. */
import { constants } from "node:fs";
import { access, stat } from "node:fs/promises";
import { delimiter, join, resolve, sep } from "node:path";

/** Where it is; else whether something is there that can't be run. */
export type FoundProgram =
  | { readonly path: string }
  | { readonly path: undefined; readonly isThere: boolean };

/** Looks for it and runs nothing. `search`: as in the variable PATH. */
export async function findProgram(
  name: string,
  { search, cwd }: { readonly search: string; readonly cwd: string },
): Promise<FoundProgram> {
  const folders = search.split(delimiter).filter((folder) => folder !== "");
  const places = name.includes(sep) ? [resolve(cwd, name)] : folders.map((folder) => join(folder, name));
  let isThere = false;
  for (const path of places) {
    if (!(await stat(path).catch(() => undefined))?.isFile()) continue;
    if (await isExecutable(path)) return { path };
    isThere = true;
  }
  return { path: undefined, isThere };
}

async function isExecutable(path: string): Promise<boolean> {
  return await access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}
