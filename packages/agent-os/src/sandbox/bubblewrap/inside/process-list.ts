/** All processes of a sandbox, as its kernel tells of them; but for its supervisor and that one's parent. */
import { readdirSync, readFileSync } from "node:fs";

/** Characters of one process's arguments that are told. */
const ARGUMENTS = 4_096;

/** A process that there is. */
export interface ListedProcess {
  readonly pid: number;
  /** Who started it; 0: nobody that is told of. */
  readonly ppid: number;
  /** Its group, and its session. */
  readonly pgid: number;
  readonly sid: number;
  readonly command: string;
  readonly args: readonly string[];
}

/** In the order of their numbers. */
export function listProcesses(): ListedProcess[] {
  return readdirSync("/proc")
    .map(Number)
    .filter((pid) => pid > 2)
    .sort((a, b) => a - b)
    .flatMap(processOf);
}

/** Nothing for one that has gone meanwhile, or ended and is waited for. */
function processOf(pid: number): ListedProcess[] {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // Its name may have anything in it, also brackets and spaces.
    const [state = "", ...numbers] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    if (state === "Z") return [];
    const [ppid = 0, pgid = 0, sid = 0] = numbers.map(Number);
    const line = readFileSync(`/proc/${pid}/cmdline`, "utf8").slice(0, ARGUMENTS);
    const name = stat.slice(stat.indexOf("(") + 1, stat.lastIndexOf(")"));
    const [command = name, ...args] = line === "" ? [name] : line.replace(/\0$/, "").split("\0");
    return [{ pid, ppid: ppid > 2 ? ppid : 0, pgid, sid, command, args }];
  } catch {
    return [];
  }
}
