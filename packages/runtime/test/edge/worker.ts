/** A worker for an edge platform: it runs the counter for an engine elsewhere, as long as its answer lasts. */
import { actor, db, event, startHost } from "@troupe/runtime/edge";

const counter = actor({
  state: { count: 0, bornIn: "" },
  events: { changed: event<number>() },
  onCreate: (c) => {
    c.state.bornIn = navigator.userAgent;
  },
  actions: {
    increment: (c, by: number) => {
      c.state.count += by;
      c.broadcast("changed", c.state.count);
      return c.state.count;
    },
    where: (c) => ({ bornIn: c.state.bornIn, runsIn: navigator.userAgent }),
    later: (c, ms: number) => void c.schedule.after(ms, "increment", 100),
  },
});

const ledger = actor({
  state: { entries: 0 },
  db: db({
    onMigrate: async (database) => {
      await database.execute(
        "CREATE TABLE IF NOT EXISTS entries (id INTEGER PRIMARY KEY, amount INTEGER, note BLOB)",
      );
    },
  }),
  actions: {
    add: async (c, amount: bigint, note: Uint8Array) => {
      await c.db.execute("INSERT INTO entries (amount, note) VALUES (?, ?)", amount, note);
      c.state.entries += 1;
      return c.state.entries;
    },
    all: (c) =>
      c.db.execute<{ id: number; amount: bigint; note: Uint8Array }>("SELECT * FROM entries ORDER BY id"),
    wrong: (c) => c.db.execute("SELECT nothing FROM nowhere"),
    attach: (c) => c.db.execute("ATTACH DATABASE 'other.db' AS other"),
  },
});

/** What the test's client knows of it. */
export type Counter = typeof counter;
export type Ledger = typeof ledger;

interface Bindings {
  readonly ENGINE: string;
  readonly TOKEN: string;
}

export default {
  fetch(_request: Request, { ENGINE, TOKEN }: Bindings): Response {
    return startHost({ use: { counter, ledger }, endpoint: ENGINE, token: TOKEN }).response();
  },
};
