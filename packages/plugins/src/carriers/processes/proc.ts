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

/** A process that is there, and is no zombie. */
export interface Life {
  /** When it was started, in the kernel's own time. */
  readonly started: string;
  /** It was stopped: it does nothing until it is told to go on. */
  readonly isStopped: boolean;
}

/** Undefined: it isn't there, or is a zombie. */
export function lifeOf(pid: number): Life | undefined {
  const [state = "", ...fields] = (textOf(`/proc/${pid}/stat`).split(") ").at(-1) ?? "").split(" ");
  const started = fields[18];
  if (started === undefined || state === "Z" || state === "X") return undefined;
  return { started, isStopped: state === "T" || state === "t" };
}

/** When it was started; undefined: it isn't there, or is a zombie. */
export function startOf(pid: number): string | undefined {
  return lifeOf(pid)?.started;
}
