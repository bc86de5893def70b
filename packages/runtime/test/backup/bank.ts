/** Actors whose every moment can be told from a torn one, and callers that keep them busy. */
import { actor, db } from "@troupe/runtime";

/** State and SQL of one turn: `balance` is the sum of `entries`, `count` their number. */
const accountThat = (options: { readonly sleepTimeout?: number }) =>
  actor({
    options,
    db: db({
      onMigrate: async (database) => {
        await database.execute("CREATE TABLE IF NOT EXISTS entries (amount INTEGER, note TEXT)");
      },
    }),
    state: { balance: 0, count: 0 },
    actions: {
      pay: async (c, amount: number) => {
        await c.db.execute("INSERT INTO entries VALUES (?, ?)", amount, "x".repeat(500));
        c.state.balance += amount;
        c.state.count += 1;
        return c.state.count;
      },
      remind: (c, delayMs: number) => c.schedule.after(delayMs, "pay", 1),
      look: async (c) => {
        const [found] = await c.db.execute(
          "SELECT count(*) AS count, coalesce(sum(amount), 0) AS sum FROM entries",
        );
        return { balance: c.state.balance, count: c.state.count, entries: found };
      },
      close: (c) => c.destroy(),
    },
  });

/** Asleep whenever nobody calls. */
export const account = accountThat({ sleepTimeout: 20 });

/** Awake for long. */
export const awakeAccount = accountThat({});

/** Two properties of a state, which are rows of their own: `left` and `right` are always 0 together. */
export const purse = actor({
  state: { left: 0, right: 0, count: 0 },
  actions: {
    move: (c, amount: number) => {
      c.state.left += amount;
      c.state.right -= amount;
      c.state.count += 1;
      return c.state.count;
    },
    look: (c) => ({ ...c.state }),
  },
});

export const use = { account, purse };
