/** A deadline of a command or process: who started it is warned before it is over. */
import { limits } from "@troupe/protocol";

/** What happens in time. */
export interface DeadlineParts {
  /** Four fifths are over: so many milliseconds. */
  readonly near: (usedMs: number) => void;
  readonly over: () => void;
}

/** Begins to count; what it returns is called when it doesn't matter any more. */
export function startDeadline(timeoutMs: number, { near, over }: DeadlineParts): () => void {
  const nearMs = Math.round(timeoutMs * limits.sandboxWarnShare);
  const timers = [setTimeout(() => near(nearMs), nearMs), setTimeout(over, timeoutMs)];
  return () => {
    for (const timer of timers) clearTimeout(timer);
  };
}
