/**
 * The server under test: one actor whose turn changes three properties of its state, which must agree for ever.
 *
 *   node --conditions=troupe-source server.ts DATA_DIRECTORY [PORT]
 *
 * Prints `starting`, then `ready <endpoint>`.
 */
import { flushCompileCache } from "node:module";
import { actor, setup } from "troupe";

interface Lane {
  /** The newest write id. */
  last: number;
  /** How many writes, and the sum of their ids: together they tell a lost write from a doubled one. */
  applied: number;
  sum: number;
}

export interface CounterState {
  /** All writes: the sum of `applied` over the lanes. */
  count: number;
  /** The last 20 writes, as `lane.id`. */
  recent: string[];
  lanes: Record<string, Lane>;
}

const counter = actor({
  state: { count: 0, recent: [], lanes: {} } as CounterState,
  actions: {
    add: (c, lane: string, id: number): number => {
      const before = c.state.lanes[lane] ?? { last: 0, applied: 0, sum: 0 };
      c.state.count += 1;
      c.state.lanes[lane] = { last: id, applied: before.applied + 1, sum: before.sum + id };
      c.state.recent = [...c.state.recent, `${lane}.${id}`].slice(-20);
      return c.state.count;
    },
    read: (c): CounterState => ({
      count: c.state.count,
      recent: [...c.state.recent],
      lanes: { ...c.state.lanes },
    }),
  },
});

export const registry = setup({ use: { counter } });

if (import.meta.main) {
  const [dataDir, port = "0"] = process.argv.slice(2);
  if (dataDir === undefined) throw new Error("node server.ts DATA_DIRECTORY [PORT]");
  // This process ends by a kill, which would leave the cache (see child.ts) unwritten.
  flushCompileCache();
  console.log("starting");
  const server = await registry.start({ port: Number(port), dataDir, durability: "commit" });
  console.log(`ready ${server.endpoint}`);
}
