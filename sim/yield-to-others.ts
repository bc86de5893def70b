/** How the simulator runs beside stories: it never waits, they do, and have deadlines. */
import { setPriority } from "node:os";

/** A third of the share that others have, where there isn't enough for all; all that they leave. */
const NICENESS = 5;

/** For a process that no other file shares. */
export function yieldToOthers(): void {
  setPriority(NICENESS);
}
