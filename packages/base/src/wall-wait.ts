import type { Clock } from "./env.ts";

/** A timer sleeps at most this long, so that a wall clock that was set is noticed. */
const LONGEST_WAIT_MS = 60_000;

/** For how long to set a timer, to see whether the wall clock says `at` yet. A clock that nobody sets needs one look. */
export function wallWaitMs(clock: Clock, at: number): number {
  const leftMs = Math.max(0, at - clock.now());
  return clock.steady === true ? leftMs : Math.min(leftMs, LONGEST_WAIT_MS);
}
