/** Real timers, and a log that nobody reads: for sessions with real plugins. */
import type { Env, Logger } from "@troupe/base";
import type { SessionEnv } from "../../src/session/session.ts";

const log: Logger = { debug() {}, info() {}, warn() {}, error() {}, child: () => log };

const timers = new Map<number, NodeJS.Timeout>();
let last = 0;

export const nodeSessionEnv: SessionEnv & Pick<Env, "clock"> = {
  clock: { now: () => Date.now(), monotonic: () => performance.now() },
  log,
  timers: {
    set: (task, delayMs) => {
      last += 1;
      const id = last;
      timers.set(id, setTimeout(task, delayMs));
      return id;
    },
    clear: (timer) => {
      if (typeof timer !== "number") return;
      clearTimeout(timers.get(timer));
      timers.delete(timer);
    },
  },
};
