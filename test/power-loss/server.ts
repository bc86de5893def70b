/**
 * The server under test: one actor whose turn changes three properties of its state, which must agree for ever. With
 * `--database` its lanes are rows of its own database instead, which must agree with the rest of the state.
 *
 *   node --conditions=troupe-source server.ts [--database] DATA_DIRECTORY [PORT]
 *
 * Prints `starting`, then `ready <endpoint>`.
 */
import { flushCompileCache } from "node:module";
import { actor, setup } from "troupe";
import { db } from "troupe/db";

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

const schema = "CREATE TABLE IF NOT EXISTS lanes (lane TEXT PRIMARY KEY, last INT, applied INT, sum INT)";

const withDatabase = actor({
  state: { count: 0, recent: [] as string[] },
  db: db({ onMigrate: (tx) => tx.execute(schema).then(() => {}) }),
  actions: {
    add: async (c, lane: string, id: number): Promise<number> => {
      c.state.count += 1;
      const count = c.state.count;
      await c.db.execute(
        `INSERT INTO lanes VALUES (:lane, :id, 1, :id)
          ON CONFLICT DO UPDATE SET last = :id, applied = applied + 1, sum = sum + :id`,
        { lane, id },
      );
      c.state.recent = [...c.state.recent, `${lane}.${id}`].slice(-20);
      return count;
    },
    read: async (c): Promise<CounterState> => {
      const rows = await c.db.execute<Lane & { lane: string }>("SELECT * FROM lanes");
      const lanes = Object.fromEntries(rows.map(({ lane, ...rest }) => [lane, rest]));
      return { count: c.state.count, recent: [...c.state.recent], lanes };
    },
  },
});

export const registry = setup({ use: { counter } });

if (import.meta.main) {
  const args = process.argv.slice(2);
  const database = args[0] === "--database" && args.shift() !== undefined;
  const [dataDir, port = "0"] = args;
  if (dataDir === undefined) throw new Error("node server.ts [--database] DATA_DIRECTORY [PORT]");
  // This process ends by a kill, which would leave the cache (see child.ts) unwritten.
  flushCompileCache();
  console.log("starting");
  const served = database ? setup({ use: { counter: withDatabase } }) : registry;
  const server = await served.start({ port: Number(port), dataDir, durability: "commit" });
  console.log(`ready ${server.endpoint}`);
}
