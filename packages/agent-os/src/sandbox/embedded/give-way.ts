/**
 * A sandbox thread gives way: what runs in it may loop for ever, and where there are no more processors than threads with work the
 * runtime's own, or one of its syncs, would wait for the end of a loop's slice each time.
 */
import { getPriority, setPriority } from "node:os";

/** Ten steps of niceness: a tenth of the share of a thread that has none. */
const NICENESS = 10;

/** From now on this thread gives way to all others of the process. Only on Linux: elsewhere a priority is the whole process's. */
export function giveWay(): void {
  // Both are of the thread that calls them.
  if (process.platform === "linux" && getPriority() < NICENESS) setPriority(NICENESS);
}
