/** A program whose actions cost a millisecond of their process: what `troupe start --hosts n` spreads over cores. */
import { actor, setup } from "troupe";

const WORK_MS = 1;

const counter = actor({
  state: { count: 0 },
  actions: {
    add: (c, by: number) => {
      for (const until = performance.now() + WORK_MS; performance.now() < until; );
      c.state.count += by;
      return c.state.count;
    },
    read: (c) => c.state.count,
    pid: () => process.pid,
  },
});

export const registry = setup({ use: { counter } });
