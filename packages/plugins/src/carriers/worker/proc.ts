/** Linux's books of its processes. Elsewhere, and of what isn't there any more, they are empty. */
import { readdirSync, readFileSync } from "node:fs";

/** A file's text. */
export function textOf(path: string): string {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return "";
  }
}

/** A folder's entries. */
export function listOf(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}
