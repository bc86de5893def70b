/** Actors with a database of their own: stored with the turn, undone with their transaction, whole after a crash. */
import { TroupeError } from "@troupe/base";
import { limits } from "@troupe/protocol";
import { actor, type Database, db, setup, setupTest } from "@troupe/runtime";
import { expect, test } from "vitest";
import { carried } from "../driver/carried.ts";
import { Driver } from "../driver/driver.ts";
import { Ground } from "./ground.ts";

const schema = "CREATE TABLE IF NOT EXISTS notes (id INTEGER PRIMARY KEY, text TEXT UNIQUE, at BLOB)";
let migrations = 0;
let failing = false;
let left: (() => Promise<unknown>) | undefined;

const notes = actor({
  state: { writes: 0 },
  db: db({
    onMigrate: async (tx) => {
      migrations += 1;
      await tx.execute(`${schema}; CREATE INDEX IF NOT EXISTS by_text ON notes (text);`);
      if (failing) {
        await tx.execute("INSERT INTO notes (text) VALUES ('half a migration')");
        await new Promise((resolve) => setImmediate(resolve));
        throw new Error("migration failed");
      }
    },
  }),
  actions: {
    add: async (c, text: string) => {
      c.state.writes += 1;
      await c.kv.put("last", text);
      await c.db.execute("INSERT INTO notes (text) VALUES (?)", text);
      return c.state.writes;
    },
    texts: async (c) => {
      const rows = await c.db.execute<{ text: string }>("SELECT text FROM notes ORDER BY id");
      return rows.map((row) => row.text);
    },
    state: async (c) => [c.state.writes, await c.kv.get("last")],
    run: (c, sql: string, params: (string | number | null)[] = []) => c.db.execute(sql, ...params),
    addTwice: async (c, text: string) => {
      c.state.writes += 1;
      await c.kv.put("last", text);
      await c.db.execute("INSERT INTO notes (text) VALUES (?)", text);
      await c.db.execute("INSERT OR ROLLBACK INTO notes (text) VALUES (?)", text).catch(() => {});
      return c.state.writes;
    },
    undone: async (c, text: string) => {
      await insert(c.db, text);
      await c.db.execute("INSERT OR ROLLBACK INTO notes (text) VALUES (?)", text);
    },
    leave: (c) => {
      left = () => c.db.execute("SELECT 1");
    },
    fill: async (c, count: number, round: number) => {
      for (let index = 0; index < count; index += 1) await insert(c.db, `${round}-${index}`);
    },
    codes: async (c) => {
      const insertOne = "INSERT INTO notes (text) VALUES (?)";
      const runs = {
        several: () => c.db.execute(`${insertOne}; SELECT 1`, "a"),
        object: () => c.db.execute(insertOne, JSON.parse("[1]"), 1),
        missing: () => c.db.execute(insertOne, Reflect.get({}, "a")),
        large: () => c.db.execute(insertOne, 2n ** 63n),
        // Alone, none of them is an object of named parameters.
        date: () => c.db.execute(insertOne, ...JSON.parse("[]"), new Date()),
        map: () => c.db.execute(insertOne, ...JSON.parse("[]"), new Map([["a", 1]])),
        buffer: () => c.db.execute(insertOne, ...JSON.parse("[]"), new ArrayBuffer(1)),
        syntax: () => c.db.execute("SELEC 1"),
        name: () => c.db.execute("SELECT * FROM nothing"),
        none: () => c.db.execute("-- nothing"),
      };
      const found: Record<string, string> = {};
      for (const [name, run] of Object.entries(runs)) {
        found[name] = await run().then(
          () => "ran",
          (error: unknown) => (TroupeError.is(error) ? error.code : String(error)),
        );
      }
      return found;
    },
    values: (c) =>
      c.db.execute(
        "SELECT :i AS i, :big AS big, :f AS f, :s AS s, :n AS n, :b AS b, :t AS t, typeof(:i) AS type",
        {
          i: 7,
          big: 2n ** 60n,
          f: 0.5,
          s: "é",
          n: null,
          b: Uint8Array.of(1, 2),
          t: true,
        },
      ),
    transaction: (c, how: keyof typeof transactions) => transactions[how](c.db),
    save: (c) => c.db.transaction(() => c.saveState({ immediate: true })),
    race: async (c) => {
      const undone = c.db.transaction(async (tx) => {
        await tx.execute("INSERT INTO notes (text) VALUES ('undone')");
        for (let index = 0; index < 20; index += 1) await Promise.resolve();
        throw new Error("undo");
      });
      const kept = c.db.execute("INSERT INTO notes (text) VALUES ('another chain')");
      await Promise.allSettled([undone, kept]);
    },
    later: (c, ms: number) => c.schedule.after(ms, "add", "scheduled"),
    nap: (c) => c.sleep(),
    end: (c) => c.destroy(),
  },
});

const insert = (tx: Database, text: string) => tx.execute("INSERT INTO notes (text) VALUES (?)", text);

const transactions = {
  kept: (db: Database) =>
    db.transaction(async (tx) => {
      await insert(tx, "a");
      await insert(db, "b");
    }),
  undone: (db: Database) =>
    db.transaction(async (tx) => {
      await insert(tx, "a");
      throw new Error("no");
    }),
  nested: (db: Database) =>
    db.transaction(async (tx) => {
      await insert(tx, "a");
      await tx
        .transaction(async (inner) => {
          await insert(inner, "b");
          throw new Error("no");
        })
        .catch(() => {});
      await insert(tx, "c");
    }),
  schema: (db: Database) =>
    db.transaction(async (tx) => {
      await tx.execute("ALTER TABLE notes ADD COLUMN undone");
      await tx.execute("SELECT * FROM notes");
      throw new Error("no");
    }),
  schemaLeft: (db: Database) =>
    db.transaction(async (tx) => {
      await tx.execute("ALTER TABLE notes ADD COLUMN undone");
      await tx.execute("SELECT * FROM notes");
      await new Promise((resolve) => setTimeout(resolve, 1));
      throw new Error("no");
    }),
};

const plain = actor({
  state: { n: 0 },
  actions: {
    add: (c) => ++c.state.n,
    // @ts-expect-error there is no database, and JavaScript asks nobody
    sql: (c) => c.db.execute("SELECT 1"),
  },
});

const { notes: withoutNeed } = carried({ notes }, []);

const failure = (code: string) => expect.objectContaining({ group: "sql", code });

test("state, keys and tables are one batch in the actor's own file, and come back together", async () => {
  await using ground = await Ground.start({ notes });
  const actorOf = () => ground.client.notes.getOrCreate(["a"]);
  expect(await actorOf().add("one")).toBe(1);
  expect(await actorOf().add("two")).toBe(2);
  expect(ground.files.filter((name) => name.endsWith(".db"))).toHaveLength(1);
  await ground.kill();
  expect(await actorOf().texts()).toEqual(["one", "two"]);
  expect(await actorOf().state()).toEqual([2, "two"]);
  await ground.restart();
  // A clean end leaves no log.
  expect(ground.files).toHaveLength(1);
  expect(await actorOf().texts()).toEqual(["one", "two"]);
  expect(await actorOf().state()).toEqual([2, "two"]);
});

test("a failed statement changes nothing, what the turn wrote before it stays", async () => {
  await using ground = await Ground.start({ notes });
  const actor = ground.client.notes.getOrCreate(["a"]);
  await actor.add("one");
  await expect(actor.add("one")).rejects.toThrow();
  await expect(actor.run("INSERT INTO notes (id, text) VALUES (9, 'new'), (9, 'twice')")).rejects.toThrow();
  expect(await actor.texts()).toEqual(["one"]);
  expect(await actor.state()).toEqual([2, "one"]);
});

test("when SQLite undoes the whole batch, all of the turn is undone, and the actor starts anew", async (context) => {
  if (process.env["TROUPE_TEST_CARRIED"] === "1")
    context.skip("behind a carrier each statement ends its turn");
  await using ground = await Ground.start({ notes });
  const actor = ground.client.notes.getOrCreate(["a"]);
  await actor.add("one");
  await expect(actor.addTwice("two")).rejects.toEqual(failure("batch_undone"));
  // The broken activation is on its way out.
  await expect.poll(() => actor.texts()).toEqual(["one"]);
  expect(await actor.state()).toEqual([1, "one"]);
  expect(await actor.add("three")).toBe(2);
});

test("in memory, where the database stays open, the actor starts anew as well", async (context) => {
  if (process.env["TROUPE_TEST_CARRIED"] === "1")
    context.skip("behind a carrier each statement ends its turn");
  const { client } = await setupTest(context, setup({ use: { notes } }));
  for (const how of ["addTwice", "undone"] as const) {
    const actor = client.notes.getOrCreate([how]);
    await actor.add("one");
    await expect(actor[how]("two")).rejects.toEqual(failure("batch_undone"));
    await expect.poll(() => actor.texts().catch(String)).toEqual(["one"]);
    expect(await actor.state()).toEqual([1, "one"]);
    expect(await actor.add("three")).toBe(2);
    expect(await actor.texts()).toEqual(["one", "three"]);
  }
});

test("after the end of its activation nobody reads or writes", async () => {
  await using ground = await Ground.start({ notes });
  const actor = ground.client.notes.getOrCreate(["a"]);
  await actor.leave();
  await ground.runtime.host.sleep(await actor.resolve());
  await expect(left?.()).rejects.toMatchObject({ group: "actor", code: "stopped" });
  expect(await actor.texts()).toEqual([]);
});

test("mistakes are refused with their own codes, before anything runs", async () => {
  await using ground = await Ground.start({ notes });
  const actor = ground.client.notes.getOrCreate(["a"]);
  expect(await actor.codes()).toEqual({
    several: "one_statement",
    object: "invalid_parameter",
    missing: "invalid_parameter",
    large: "invalid_parameter",
    date: "invalid_parameter",
    map: "invalid_parameter",
    buffer: "invalid_parameter",
    syntax: "failed",
    name: "failed",
    none: "ran",
  });
  expect(await actor.texts()).toEqual([]);
});

test("ten thousand writes of one turn, and a log that is moved into the file while the actor is awake", async () => {
  await using ground = await Ground.start({ notes });
  const actor = ground.client.notes.getOrCreate(["a"]);
  for (let round = 0; round < 3; round += 1) await actor.fill(10_000, round);
  expect(await actor.texts()).toHaveLength(30_000);
  await ground.kill();
  expect(await ground.client.notes.getOrCreate(["a"]).texts()).toHaveLength(30_000);
});

test("values come back as they were: integers past 2^53 as bigint, blobs as bytes", async () => {
  await using ground = await Ground.start({ notes });
  const [row] = await ground.client.notes.getOrCreate(["a"]).values();
  const bytes = Uint8Array.of(1, 2);
  expect(row).toEqual({ i: 7, big: 2n ** 60n, f: 0.5, s: "é", n: null, b: bytes, t: 1, type: "integer" });
});

test("transactions: kept, undone, nested, joined by the outer client", async () => {
  await using ground = await Ground.start({ notes });
  const kept = ground.client.notes.getOrCreate(["kept"]);
  await kept.transaction("kept");
  expect(await kept.texts()).toEqual(["a", "b"]);
  const undone = ground.client.notes.getOrCreate(["undone"]);
  await expect(undone.transaction("undone")).rejects.toThrow();
  expect(await undone.texts()).toEqual([]);
  const nested = ground.client.notes.getOrCreate(["nested"]);
  await nested.transaction("nested");
  await ground.restart();
  expect(await ground.client.notes.getOrCreate(["nested"]).texts()).toEqual(["a", "c"]);
});

test("what another chain writes in the same turn isn't undone with a transaction", async () => {
  await using ground = await Ground.start({ notes });
  const actor = ground.client.notes.getOrCreate(["a"]);
  await actor.race();
  expect(await actor.texts()).toEqual(["another chain"]);
});

test("what would wait for itself is refused inside a transaction", async () => {
  await using ground = await Ground.start({ notes });
  await expect(ground.client.notes.getOrCreate(["a"]).save()).rejects.toEqual(
    failure("output_in_transaction"),
  );
});

test("migrations run first on every start; a failed one leaves nothing, also over several turns", async () => {
  await using ground = await Ground.start({ notes });
  migrations = 0;
  await ground.client.notes.getOrCreate(["a"]).add("one");
  await ground.restart();
  failing = true;
  try {
    await expect(ground.client.notes.getOrCreate(["a"]).texts()).rejects.toThrow();
    await expect(ground.client.notes.getOrCreate(["b"]).texts()).rejects.toThrow();
  } finally {
    failing = false;
  }
  expect(await ground.client.notes.getOrCreate(["a"]).texts()).toEqual(["one"]);
  expect(await ground.client.notes.getOrCreate(["b"]).texts()).toEqual([]);
  expect(migrations).toBe(5);
});

test("a new file is whole or not there: after a kill before its first batch was told", async () => {
  await using ground = await Ground.start({ notes });
  const first = ground.client.notes.getOrCreate(["a"]).add("one");
  first.catch(() => {});
  await ground.kill();
  const texts = await ground.client.notes.getOrCreate(["a"]).texts();
  expect([[], ["one"]]).toContainEqual(texts);
});

test("an alarm wakes an actor with a database, also when a kill left its index behind", async () => {
  await using ground = await Ground.start({ notes });
  await ground.client.notes.getOrCreate(["a"]).later(3_600_000);
  const [before] = await ground.store.storage.dueAlarms(Number.MAX_SAFE_INTEGER, 10);
  expect(before).toBeDefined();
  await ground.kill();
  expect(await ground.store.storage.dueAlarms(Number.MAX_SAFE_INTEGER, 10)).toEqual([before]);
  await ground.client.notes.getOrCreate(["b"]).later(30);
  await ground.client.notes.getOrCreate(["b"]).nap();
  await expect.poll(() => ground.client.notes.getOrCreate(["b"]).texts()).toEqual(["scheduled"]);
});

test("a destroyed actor leaves no file", async () => {
  await using ground = await Ground.start({ notes });
  await ground.client.notes.getOrCreate(["a"]).add("one");
  await ground.client.notes.getOrCreate(["a"]).end();
  await expect.poll(() => ground.files).toEqual([]);
  expect(await ground.client.notes.getOrCreate(["a"]).texts()).toEqual([]);
  await ground.kill();
  expect(await ground.client.notes.getOrCreate(["a"]).texts()).toEqual([]);
  expect(ground.files.filter((name) => name.endsWith(".db"))).toHaveLength(1);
});

test("a definition that loses its database, or gains one, doesn't lose what is stored", async () => {
  await using ground = await Ground.start({ notes, plain });
  await ground.client.notes.getOrCreate(["a"]).add("one");
  await ground.client.plain.getOrCreate(["a"]).add();
  await ground.restart({ notes: plain, plain: notes });
  const refused = (code: string) => expect.objectContaining({ group: "storage", code });
  await expect(ground.client.notes.getOrCreate(["a"]).texts()).rejects.toEqual(refused("database_lost"));
  await expect(ground.client.plain.getOrCreate(["a"]).add()).rejects.toEqual(refused("database_gained"));
  await ground.restart({ notes, plain });
  expect(await ground.client.notes.getOrCreate(["a"]).texts()).toEqual(["one"]);
  expect(await ground.client.plain.getOrCreate(["a"]).add()).toBe(2);
});

test("a statement that was run before shows the columns of a schema that has changed since, or was undone", async () => {
  await using ground = await Ground.start({ notes });
  const actor = ground.client.notes.getOrCreate(["a"]);
  await actor.run("INSERT INTO notes (id, text) VALUES (1, 'one')");
  const columns = async () => Object.keys((await actor.run("SELECT * FROM notes"))[0] ?? {});
  expect(await columns()).toEqual(["id", "text", "at"]);
  await actor.run("ALTER TABLE notes ADD COLUMN more");
  expect(await columns()).toEqual(["id", "text", "at", "more"]);
  await expect(actor.transaction("schema")).rejects.toThrow();
  expect(await columns()).toEqual(["id", "text", "at", "more"]);
  await expect(actor.transaction("schemaLeft")).rejects.toThrow();
  expect(await columns()).toEqual(["id", "text", "at", "more"]);
});

test("what isn't a database, and a store without SQL, are refused by name", async () => {
  const config: Record<string, unknown> = { db: {} };
  expect(() => actor(config)).toThrow(/db/);
  await using driver = await Driver.start({ notes });
  expect((await driver.act("notes", "texts")).code).toBe("sql.unavailable");
  await using ground = await Ground.start({ notes: withoutNeed });
  await expect(ground.client.notes.getOrCreate(["a"]).texts()).rejects.toEqual(failure("unavailable"));
});

test("an actor without a database is told so", async () => {
  await using ground = await Ground.start({ plain });
  await expect(ground.client.plain.getOrCreate(["a"]).sql()).rejects.toEqual(failure("no_database"));
});

test("S3.3 (in part) limits are checked before anything runs", async () => {
  await using ground = await Ground.start({ notes });
  const actor = ground.client.notes.getOrCreate(["a"]);
  const long = `INSERT INTO notes (text) VALUES ('ran'); -- ${"x".repeat(limits.sqlBytes)}`;
  await expect(actor.run(long)).rejects.toEqual(failure("text_too_long"));
  const many = Array.from({ length: limits.sqlParameters + 1 }, () => 1);
  await expect(actor.run("INSERT INTO notes (text) VALUES (?)", many)).rejects.toEqual(
    failure("too_many_parameters"),
  );
  const large = "x".repeat(limits.sqlBoundBytes + 1);
  await expect(actor.run("INSERT INTO notes (text) VALUES (?)", [large])).rejects.toEqual(
    failure("parameters_too_large"),
  );
  expect(await actor.texts()).toEqual([]);
});

test("a result has rows and bytes that it may have; a statement with a larger one is undone", async () => {
  await using ground = await Ground.start({ notes });
  const actor = ground.client.notes.getOrCreate(["a"]);
  const series = (count: number) =>
    `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${count}) SELECT i FROM n`;
  const many = limits.sqlResultRows + 1;
  await expect(actor.run(series(many))).rejects.toEqual(failure("result_too_large"));
  await expect(actor.run(`SELECT zeroblob(${limits.sqlResultBytes + 1})`)).rejects.toEqual(
    failure("result_too_large"),
  );
  await expect(actor.run(`INSERT INTO notes (id) ${series(many)} RETURNING id`)).rejects.toEqual(
    failure("result_too_large"),
  );
  expect(await actor.texts()).toEqual([]);
});

test("in memory, for tests: tables outlive a sleep", async (t) => {
  const registry = setup({ use: { notes } });
  const { client, evict } = await setupTest(t, registry);
  const handle = client.notes.getOrCreate(["a"]);
  await handle.add("one");
  await evict(handle);
  expect(await handle.texts()).toEqual(["one"]);
  expect(await handle.state()).toEqual([1, "one"]);
});
