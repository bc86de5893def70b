/**
 * Linked paths: just-bash's file system in memory reads through links, and writes to a path as it is spelled. What is written
 * below a link to a directory would be found by nobody, and what is written to a link would take its place. So paths are
 * led through their links first, as a system does it; and where they lead it is looked whether Linux would put something there.
 */
import type { InMemoryFs } from "just-bash";
import { fileWriters } from "./file-methods.ts";

/** So many links in one path, one leading to the next, are followed: as Linux does. */
const MOST_LINKS = 40;

/** Makes a file system's methods go through links, to where something may be put. */
export function followLinks(files: InMemoryFs): void {
  for (const [name, { leads, through, check }] of fileWriters) {
    const method: unknown = Reflect.get(files, name);
    if (typeof method !== "function" || leads.length === 0) continue;
    Reflect.set(files, name, async (...args: unknown[]): Promise<unknown> => {
      for (const place of leads) {
        const path = args[place];
        if (typeof path === "string") args[place] = await lead(files, files.resolvePath("/", path), through);
      }
      await check?.(files, args);
      return await Reflect.apply(method, files, args);
    });
  }
}

/** The path's one name without links, of which its last part may be one unless `through`. Rejects with "ELOOP: …" for one that leads in a circle. */
async function lead(files: InMemoryFs, path: string, through: boolean): Promise<string> {
  let at = await withoutLinksAbove(files, path);
  for (let links = 0; links <= MOST_LINKS; links += 1) {
    const target = through ? await targetOf(files, at) : undefined;
    if (target === undefined) return at;
    at = await withoutLinksAbove(files, files.resolvePath(at.slice(0, at.lastIndexOf("/")) || "/", target));
  }
  throw new Error(`ELOOP: too many symbolic links encountered, '${path}'`);
}

async function targetOf(files: InMemoryFs, path: string): Promise<string | undefined> {
  const stat = await files.lstat(path).catch(() => undefined);
  return stat?.isSymbolicLink === true ? await files.readlink(path) : undefined;
}

/** What is there of the directories above is led through its links; what isn't there yet has none. */
async function withoutLinksAbove(files: InMemoryFs, path: string): Promise<string> {
  for (let cut = path.lastIndexOf("/"); cut > 0; cut = path.lastIndexOf("/", cut - 1)) {
    const above = await files.realpath(path.slice(0, cut)).catch(() => undefined);
    if (above !== undefined) return `${above === "/" ? "" : above}${path.slice(cut)}`;
  }
  return path;
}
