/** What a mode keeps out the sandbox's only user of, too: it is lifted for the time of a look. */
import { chmodSync, lstatSync } from "node:fs";
import { codeOf } from "./system-error.ts";

/** Looks at a path, whose mode must have these bits. Throws what the system says. */
export function opened<R>(path: string, mode: number, look: () => R): R {
  try {
    return look();
  } catch (cause) {
    if (codeOf(cause) !== "EACCES") throw cause;
  }
  const lifted: (readonly [path: string, mode: number])[] = [];
  const lift = (at: string, wanted: number): void => {
    const before = lstatSync(at).mode & 0o7777;
    if ((before & wanted) === wanted) return;
    chmodSync(at, before | wanted);
    lifted.push([at, before]);
  };
  try {
    for (const directory of directoriesAbove(path)) lift(directory, 0o700);
    lift(path, mode);
    return look();
  } finally {
    for (const [at, before] of lifted.reverse()) chmodSync(at, before);
  }
}

/** From the root on. */
function directoriesAbove(path: string): string[] {
  const parts = path.split("/").slice(1, -1);
  return parts.map((_, n) => `/${parts.slice(0, n + 1).join("/")}`);
}
