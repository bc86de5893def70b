/** The helper processes of a process, as the system knows them. Linux alone says so. */
import { readFileSync } from "node:fs";

/** Those that `pid` has started and that run. */
export function helperProcesses(pid: number = process.pid): number[] {
  return children(pid).filter((child) => commandOf(child).includes("helper-main"));
}

/** True until the process is gone. */
export function runs(pid: number): boolean {
  return commandOf(pid) !== "";
}

function children(pid: number): number[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim();
  return text === "" ? [] : text.split(" ").map(Number);
}

/** Empty for one that is gone, or has ended and waits for its parent to look. */
function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8");
  } catch {
    return "";
  }
}
