/**
 * One program in three parts: `embedded` has its actors here, `engine` has none, `host` runs them for an engine. Says its
 * address over IPC when it serves, and ends with its parent.
 */
import { actor, setup } from "troupe";
import { db } from "troupe/db";
import type { RemoteReady } from "./protocol.ts";
import { median } from "./statistics.ts";

const SELECTS = 500;
const INSERTS = 1_000;
const BATCHES = 7;

const options = { sleepTimeout: 600_000, actionTimeout: 600_000 };

const counter = actor({
  options,
  state: { count: 0 },
  actions: {
    add: (c, by: number) => {
      c.state.count += by;
      return c.state.count;
    },
    read: (c) => c.state.count,
    pid: () => process.pid,
  },
});

/** Times what it does itself: what is measured is the way to the database, and not the way to the actor. */
const notes = actor({
  options,
  db: db({
    onMigrate: async (database) => {
      await database.execute("CREATE TABLE IF NOT EXISTS notes (id INTEGER PRIMARY KEY, body TEXT)");
    },
  }),
  actions: {
    fill: async (c) => {
      for (let id = 0; id < SELECTS; id += 1)
        await c.db.execute("INSERT INTO notes (id, body) VALUES (?, ?)", id, "a note of twenty chars");
    },
    /** The median of point selects, one after the other, milliseconds. */
    selectMs: async (c) => {
      const times: number[] = [];
      for (let id = 0; id < SELECTS; id += 1) {
        const since = performance.now();
        await c.db.execute("SELECT body FROM notes WHERE id = ?", id);
        times.push(performance.now() - since);
      }
      return median(times);
    },
    /** The median of batches of inserts, each sent before its first answer, milliseconds. */
    insertsMs: async (c) => {
      const times: number[] = [];
      for (let batch = 0; batch < BATCHES; batch += 1) {
        const since = performance.now();
        await Promise.all(
          Array.from({ length: INSERTS }, (_, n) =>
            c.db.execute("INSERT INTO notes (body) VALUES (?)", `note ${n}`),
          ),
        );
        times.push(performance.now() - since);
      }
      return median(times);
    },
  },
});

const [part = "", place = ""] = process.argv.slice(2);
const token = process.env.TROUPE_HOSTS_TOKEN ?? "";
process.on("disconnect", () => process.exit(0));

async function serve(): Promise<string> {
  const use = { counter, notes };
  if (part === "host") {
    const host = await setup({ use }).startHost({ endpoint: place, token });
    return host.endpoint;
  }
  const registry = part === "engine" ? setup({ use: {}, hosts: { token, actors: "any" } }) : setup({ use });
  return (await registry.start({ port: 0, dataDir: place, signals: false, banner: false })).endpoint;
}

const ready: RemoteReady = { kind: "ready", endpoint: await serve() };
process.send?.(ready);
