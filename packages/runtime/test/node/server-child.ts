/** A server in a process of its own, for signals. Tells its parent the port, and ends its slow action when told to. */
import { actor, setup } from "@troupe/runtime";

const [, , dataDir = ""] = process.argv;
const { promise: told, resolve: tell } = Promise.withResolvers<void>();

const worker = actor({
  state: { saved: 0 },
  onSleep: (c) => {
    c.state.saved += 1;
  },
  actions: {
    slow: async (c) => {
      process.send?.({ kind: "running" });
      await told;
      c.state.saved += 10;
      return "finished";
    },
    saved: (c) => c.state.saved,
  },
});

// Two registries in one process: a signal is for both, and neither cuts the other off.
const other = setup({ use: { worker } });
await other.start({ port: 0, dataDir: `${dataDir}/other`, durability: "memory", banner: false });
const { port } = await setup({ use: { worker } }).start({ port: 0, dataDir, banner: false });
process.on("message", () => tell());
process.send?.({ kind: "port", port });
