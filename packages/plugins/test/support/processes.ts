/** Processes of this machine, as Linux tells of them. */
import { readFileSync } from "node:fs";

/** Its program and arguments. Throws where it is gone. */
export function commandOf(pid: number): string {
  return readFileSync(`/proc/${pid}/cmdline`, "latin1").replaceAll("\0", " ");
}
