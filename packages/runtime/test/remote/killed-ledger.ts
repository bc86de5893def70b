/** A ledger on a host, whose calls pass a place where its engine may be killed. */
import { actor, db } from "@troupe/runtime";

/** Passed by each call, once its entry is written. */
export const place: { pass: () => void | Promise<void> } = { pass: () => {} };

const insert = "INSERT INTO entries VALUES (?)";

export const ledger = actor({
  state: { total: 0 },
  db: db({
    onMigrate: async (database) => {
      await database.execute("CREATE TABLE IF NOT EXISTS entries (amount INTEGER)");
    },
  }),
  actions: {
    /** One turn. */
    pay: async (c, amount: number) => {
      await c.db.transaction(async (tx) => void (await tx.execute(insert, amount)));
      void place.pass();
      c.state.total += amount;
      return c.state.total;
    },
    /** Two, and the first is on disk before the second begins. */
    payAndWait: async (c, amount: number) => {
      await c.db.execute(insert, amount);
      await c.saveState({ immediate: true });
      await place.pass();
      c.state.total += amount;
      return c.state.total;
    },
    sums: async (c) => {
      const [row] = await c.db.execute<{ sum: number }>(
        "SELECT coalesce(sum(amount), 0) AS sum FROM entries",
      );
      return [c.state.total, row?.sum];
    },
  },
});
