/** A server that is stopped and started again at the same port, for clients that live through it. */
import { actor, event, setup } from "@troupe/runtime";

const [, , dataDir = "", port = "0"] = process.argv;

export const ledger = actor({
  state: { entries: [] as number[] },
  events: { added: event<number>() },
  options: { sleepGracePeriod: 500 },
  actions: {
    add: (c, entry: number) => {
      c.state.entries.push(entry);
      c.broadcast("added", entry);
      return entry;
    },
    entries: (c) => c.snapshot().entries,
    hang: (c) => {
      c.state.entries.push(-1);
      process.send?.({ kind: "hanging" });
      return new Promise<void>(() => {});
    },
  },
});

const registry = setup({ use: { ledger } });
export type Restarted = typeof registry;

const server = await registry.start({ port: Number(port), dataDir, banner: false });
process.send?.({ kind: "port", port: server.port });
