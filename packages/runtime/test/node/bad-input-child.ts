/** A server in a process of its own that tells, when it is asked, what memory it holds behind a full collection. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { actor, setup } from "@troupe/runtime";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

const echo = actor({
  state: { n: 0 },
  actions: {
    args: (_c, ...args: unknown[]) => args,
    add: (c) => {
      c.state.n += 1;
      return c.state.n;
    },
  },
});

const { port } = await setup({ use: { echo } }).start({ port: 0, durability: "memory", banner: false });
process.on("message", () => {
  // What has just ended is let go of in the turns behind its end.
  collect();
  setImmediate(() => {
    collect();
    const { heapUsed, rss, external } = process.memoryUsage();
    process.send?.({ kind: "memory", heap: heapUsed + external, rss });
  });
});
process.send?.({ kind: "port", port });
