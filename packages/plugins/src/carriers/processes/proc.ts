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

/** When it was started, in the kernel's own time; undefined: it isn't there, or is a zombie. */
export function startOf(pid: number): string | undefined {
  const [state, ...fields] = (textOf(`/proc/${pid}/stat`).split(") ").at(-1) ?? "").split(" ");
  return state === "Z" || state === "X" ? undefined : fields[18];
}
