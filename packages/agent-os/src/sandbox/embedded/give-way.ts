/**
 * A worker gives way, in two steps: what runs in it may loop for ever, and where there are no more processors than threads with work
 * the runtime's own, or one of its syncs, waits for the end of a slice that the loop has begun.
 *
 * Niceness makes the share of its threads small, and their slices stay as long. So what has taken its time is demoted to SCHED_IDLE: any
 * other thread that wakes has the processor at once. What is demoted may get next to nothing on a machine that never rests, which is
 * why only long commands are. There is no way back without privileges: such a worker serves nobody else.
 */
import { execFile } from "node:child_process";
import { readdirSync } from "node:fs";
import { getPriority, setPriority } from "node:os";

/** Ten steps of niceness: a tenth of the share of a thread that has none. */
const NICENESS = 10;

/** Called when a worker has been started. Its first thread comes first: those that it starts from then on are as nice as it is. */
export function giveWay(pid: number): void {
  makeNice(pid);
  // Linux has a niceness for each thread; on a busy machine the worker has some before this process goes on.
  for (const thread of threadsOf(pid)) makeNice(thread);
}

function threadsOf(pid: number): number[] {
  try {
    return process.platform === "linux" ? readdirSync(`/proc/${pid}/task`).map(Number) : [];
  } catch {
    return [];
  }
}

function makeNice(id: number): void {
  try {
    if (getPriority(id) < NICENESS) setPriority(id, NICENESS);
  } catch {
    // It has ended. Of a worker others hear.
  }
}

/** The worker takes the time that nobody else wants, for good. Node has no call for it: `failed` is called where there is no `chrt`. */
export function demote(pid: number, failed: () => void): void {
  if (process.platform !== "linux") return failed();
  execFile("chrt", ["-a", "-i", "-p", "0", String(pid)], (failure) => {
    if (failure !== null) failed();
  });
}
