/** Where a program starts. */
import { accessSync, constants, statSync } from "node:fs";
import { resolve } from "node:path";
import { checkPath } from "./file-operations.ts";
import { systemError } from "./system-error.ts";

/**
 * The directory that was asked for, a relative one from home; without a word home, or the root for who has removed or closed it. Throws what the
 * system says where it is none: a start would say of its program that it isn't there.
 */
export function startDirectory(asked: string | undefined, home: string): string {
  if (asked === undefined) return isOpen(home) ? home : "/";
  const path = resolve(home, asked);
  checkPath(path);
  const stat = statOf(path);
  if (stat === undefined) throw systemError("ENOENT", `there is no directory '${path}' to start in`);
  if (!stat.isDirectory()) throw systemError("ENOTDIR", `'${path}' is no directory to start in`);
  accessSync(path, constants.X_OK);
  return path;
}

function isOpen(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}

function statOf(path: string) {
  return statSync(path, { throwIfNoEntry: false });
}
