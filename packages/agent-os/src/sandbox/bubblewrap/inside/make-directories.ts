/** Directories above a path, one step at a time. */
import { lstatSync, mkdirSync, statSync } from "node:fs";
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
      throw at === path ? cause : inTheWay(at, path);
    }
  }
}

/** Makes the directories above a path. Throws what the system says of something in one that is none. */
export function makeParents(path: string): void {
  const parent = dirname(path);
  try {
    makeDirectories(parent);
  } catch (cause) {
    throw codeOf(cause) === "EEXIST" ? inTheWay(parent, path) : cause;
  }
}

/** A link that is in the way leads nowhere, or to no directory. */
function inTheWay(at: string, path: string): Error {
  const leadsNowhere =
    lstatSync(at).isSymbolicLink() && statSync(at, { throwIfNoEntry: false }) === undefined;
  if (leadsNowhere) return systemError("ENOENT", `no such file or directory, '${path}'`);
  return systemError("ENOTDIR", `not a directory, '${path}'`);
}

function isThere(path: string): boolean {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat?.isDirectory() === true;
}
