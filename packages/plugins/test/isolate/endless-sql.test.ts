/** A dynamic actor's SQL that doesn't end: it is ended, and holds up nobody but its own actor. */
import { actor } from "@troupe/runtime";
import { expect, test } from "vitest";
import { dynamicActor } from "../../src/index.ts";
import { DynamicWorld, failure } from "../support/dynamic-world.ts";
import { needsPackage } from "../support/native-package.ts";

needsPackage("isolated-vm");

const LIMIT_MS = 3_000;

const source = `
  import { actor } from "troupe";
  import { db } from "troupe/db";
  const endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n";
  export default actor({
    state: { n: 0 },
    db: db({ onMigrate: async (db) => { await db.execute("CREATE TABLE IF NOT EXISTS notes (text TEXT)"); } }),
    actions: {
      add: async (c, text) => {
        await c.db.execute("INSERT INTO notes VALUES (?)", text);
        c.state.n += 1;
      },
      all: async (c) => [c.state.n, (await c.db.execute("SELECT text FROM notes")).map(({ text }) => text)],
      look: (c) => c.db.execute(endless),
      caught: (c) => c.db.execute(endless).catch((error) => [error.group, error.code, error.metadata.applied]),
    },
  });`;

const neighbour = actor({ state: { n: 0 }, actions: { add: (c) => (c.state.n += 1) } });

test("a query of an isolate that doesn't end has an error at its deadline; the runtime answers others meanwhile", {
  timeout: 120_000,
}, async () => {
  await using world = await DynamicWorld.start({
    it: dynamicActor({ source, needs: ["database"], sqlTimeLimitMs: LIMIT_MS }),
    neighbour,
  });
  await world.act("it", "add", "before");
  const over = { looked: false };
  const looked = Promise.all([
    failure(world.act("it", "look")),
    world.handle("it", "another").action({ name: "caught", args: [] }),
  ]).finally(() => {
    over.looked = true;
  });
  let answers = 0;
  while (!over.looked) {
    await world.act("neighbour", "add");
    answers += 1;
  }
  const [failed, caught] = await looked;
  expect(failed).toMatchObject({
    is: "sql.timed_out",
    metadata: { timeoutMs: LIMIT_MS, applied: "no" },
  });
  expect(caught).toEqual(["sql", "timed_out", "no"]);
  // Without a helper there would be none: the statements would have the runtime's thread.
  expect(answers).toBeGreaterThan(20);
  await world.act("it", "add", "after");
  expect(await world.act("it", "all")).toEqual([2, ["before", "after"]]);
});

test("a time that is none is refused when the actor is defined", () => {
  for (const sqlTimeLimitMs of [0, 60_001, "1 s"])
    expect(() => Reflect.apply(dynamicActor, undefined, [{ source, sqlTimeLimitMs }])).toThrow(
      /sqlTimeLimitMs/,
    );
});
