/**
 * A sandbox thread gives way, in two steps: what runs in it may loop for ever, and where there are no more processors than threads with work
 * the runtime's own, or one of its syncs, waits for the end of a slice that the loop has begun.
 *
 * Niceness makes a thread's share small, and its slices stay as long. So what has taken its time is demoted to SCHED_IDLE: any other thread
 * that wakes has the processor at once. What is demoted may get next to nothing on a machine that never rests, which is why
 * only long commands are. There is no way back without privileges: such a thread serves nobody else.
 */
import { execFile } from "node:child_process";
import { readlinkSync } from "node:fs";
import { getPriority, setPriority } from "node:os";

/** Ten steps of niceness: a tenth of the share of a thread that has none. */
const NICENESS = 10;

/** From now on this thread gives way to all others of the process. Only on Linux: elsewhere a priority is the whole process's. */
export function giveWay(): void {
  // Both are of the thread that calls them.
  if (process.platform === "linux" && getPriority() < NICENESS) setPriority(NICENESS);
}

/** What the kernel calls this thread; undefined where threads have no priority of their own. */
export function kernelThread(): number | undefined {
  if (process.platform !== "linux") return undefined;
  try {
    const [pid, , tid] = readlinkSync("/proc/thread-self").split("/");
    // A /proc of other processes than ours has other numbers.
    return Number(pid) === process.pid ? Number(tid) : undefined;
  } catch {
    // There is no /proc.
    return undefined;
  }
}

/** The thread takes the time that no other wants, for good. Node has no call for it: `failed` is called where there is no `chrt`. */
export function demote(kernelThread: number, failed: () => void): void {
  execFile("chrt", ["-i", "-p", "0", String(kernelThread)], (failure) => {
    if (failure !== null) failed();
  });
}
