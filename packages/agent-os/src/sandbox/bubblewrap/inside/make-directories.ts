/** Directories above a path, one step at a time. */
import { mkdirSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { codeOf, systemError } from "./system-error.ts";

/**
 * Makes a directory and those above it that aren't there. Throws what the system says.
 *
 * Node's own `recursive` never ends where a directory that is there says ENOENT to whoever makes something in it, as /proc does: it makes the
 * parent that must be missing, is told that it is there, and begins again. Here each path is tried once on the way up and once on the way down.
 */
export function makeDirectories(path: string): void {
  const missing: string[] = [];
  for (let at = path; !isThere(at); at = dirname(at)) {
    missing.push(at);
    if (at === dirname(at)) break;
  }
  for (const at of missing.reverse()) {
    try {
      mkdirSync(at);
    } catch (cause) {
      if (codeOf(cause) !== "EEXIST") throw cause;
      // Somebody else may have made it meanwhile.
      if (isThere(at)) continue;
      throw at === path ? cause : systemError("ENOTDIR", `not a directory, mkdir '${path}'`);
    }
  }
}

function isThere(path: string): boolean {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat?.isDirectory() === true;
}
