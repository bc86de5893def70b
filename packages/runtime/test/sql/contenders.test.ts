/** Many who want the write slot at once: each has it alone, in the order of asking, whatever becomes of those before. */
import { actor, type Database, db } from "@troupe/runtime";
import { expect, test } from "vitest";
import { Driver } from "../driver/driver.ts";

/** A transaction that ends well, one that throws, one by hand that is undone, or a statement by itself. */
type Wish = "kept" | "thrown" | "undone" | "plain";

const wishes: readonly Wish[] = ["kept", "thrown", "undone", "plain"];

const insert = (tx: Database, text: string) => tx.execute("INSERT INTO entries (text) VALUES (?)", text);

/** Writes twice, with a wait between that lets everybody else go on. */
async function transact(database: Database, text: string, wish: Wish): Promise<void> {
  await database.transaction(async (tx) => {
    await insert(tx, `${text}a`);
    await new Promise<void>((resolve) => setImmediate(resolve));
    await insert(tx, `${text}b`);
    if (wish === "thrown") throw new Error("no");
  });
}

async function byHand(database: Database, text: string): Promise<void> {
  await database.execute("BEGIN");
  await insert(database, `${text}a`);
  await new Promise<void>((resolve) => setImmediate(resolve));
  await insert(database, `${text}b`);
  await database.execute("ROLLBACK");
}

async function run(database: Database, text: string, wish: Wish): Promise<void> {
  if (wish === "plain") await insert(database, text);
  else if (wish === "undone") await byHand(database, text);
  else await transact(database, text, wish);
}

const ledger = actor({
  db: db({
    onMigrate: async (tx) => {
      await tx.execute("CREATE TABLE IF NOT EXISTS entries (id INTEGER PRIMARY KEY, text TEXT)");
    },
  }),
  actions: {
    one: (c, text: string, wish: Wish) => run(c.db, text, wish),
    inside: async (c, plan: readonly Wish[]) => {
      const all = plan.map((wish, index) =>
        wish === "undone" ? transact(c.db, `${index}`, "thrown") : run(c.db, `${index}`, wish),
      );
      return (await Promise.allSettled(all)).map(({ status }) => status);
    },
    nested: (c, plan: readonly Wish[]) =>
      c.db.transaction(async (tx) => {
        const all = plan.map((wish, index) =>
          wish === "plain"
            ? insert(tx, `${index}`)
            : transact(tx, `${index}`, wish === "kept" ? "kept" : "thrown"),
        );
        return (await Promise.allSettled(all)).map(({ status }) => status);
      }),
    texts: async (c) => {
      const rows = await c.db.execute<{ text: string }>("SELECT text FROM entries ORDER BY id");
      return rows.map(({ text }) => text);
    },
  },
});

/** What must be there. */
function left(plan: readonly Wish[]): string[] {
  return plan.flatMap((wish, index) =>
    wish === "plain" ? [`${index}`] : wish === "kept" ? [`${index}a`, `${index}b`] : [],
  );
}

/** Every plan of three, and some of eight. */
const plans: Wish[][] = [
  ...wishes.flatMap((one) => wishes.flatMap((two) => wishes.map((three) => [one, two, three]))),
  ...Array.from({ length: 12 }, (_, seed) => Array.from({ length: 8 }, (__, n) => pick(seed * 8 + n))),
];

function pick(n: number): Wish {
  return wishes[(Math.imul(n + 1, 2_654_435_761) >>> 29) % wishes.length] ?? "plain";
}

test("independent calls: what was answered is there, whole and in order; what failed left nothing", async () => {
  await using driver = await Driver.start({ ledger }, { databases: true });
  const client = driver.client();
  for (const [index, plan] of plans.entries()) {
    const actor = client.ledger.getOrCreate([`calls ${index}`]);
    const connection = actor.connect();
    const ends = await Promise.allSettled(plan.map((wish, n) => connection.one(`${n}`, wish)));
    expect([plan, ends.map(({ status }) => status)]).toEqual([
      plan,
      plan.map((wish) => (wish === "thrown" ? "rejected" : "fulfilled")),
    ]);
    expect([plan, await actor.texts()]).toEqual([plan, left(plan)]);
    await connection.dispose();
  }
});

test("inside one action, and inside one transaction: the same", async () => {
  await using driver = await Driver.start({ ledger }, { databases: true });
  const client = driver.client();
  for (const [index, plan] of plans.entries()) {
    for (const where of ["inside", "nested"] as const) {
      const actor = client.ledger.getOrCreate([where, `${index}`]);
      expect([plan, await actor[where](plan)]).toEqual([
        plan,
        plan.map((wish) => (wish === "thrown" || wish === "undone" ? "rejected" : "fulfilled")),
      ]);
      expect([plan, await actor.texts()]).toEqual([plan, left(plan)]);
    }
  }
});
