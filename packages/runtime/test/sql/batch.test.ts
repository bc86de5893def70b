/** `c.db.batch`, and statements of one turn that nobody awaits one by one: in order, all or nothing, within limits. */
import { limits } from "@troupe/protocol";
import { actor, type BatchStatement, db } from "@troupe/runtime";
import { expect, test, vi } from "vitest";
import { Driver } from "../driver/driver.ts";
import { codeOf } from "../driver/watch.ts";
import { Ground } from "./ground.ts";

const insert = "INSERT INTO notes (text) VALUES (?)";

const notes = actor({
  state: { batches: 0 },
  db: db({
    onMigrate: (tx) =>
      tx
        .execute("CREATE TABLE IF NOT EXISTS notes (id INTEGER PRIMARY KEY, text TEXT UNIQUE)")
        .then(() => {}),
  }),
  actions: {
    run: async (c, statements: BatchStatement[]) => {
      c.state.batches += 1;
      return await c.db.batch(statements);
    },
    /** Changes nothing else. */
    look: (c, statements: BatchStatement[]) => c.db.batch(statements),
    code: async (c, statements: unknown) =>
      await c.db.batch(statements as BatchStatement[]).then((results) => `${results.length} results`, codeOf),
    texts: async (c) => {
      const rows = await c.db.execute<{ text: string }>("SELECT text FROM notes ORDER BY id");
      return rows.map(({ text }) => text);
    },
    inTransaction: async (c) => {
      const undone = c.db.transaction(async (tx) => {
        await tx.execute(insert, "outer");
        // The batch is undone by itself, the transaction goes on.
        const code = await tx
          .batch([
            { sql: insert, args: ["inner"] },
            { sql: insert, args: ["outer"] },
          ])
          .then(() => "", codeOf);
        await tx.batch([{ sql: insert, args: ["second"] }]);
        return code;
      });
      const waited = c.db.batch([{ sql: insert, args: ["behind it"] }]);
      return [await undone, (await waited)[0]?.changes];
    },
    together: async (c, texts: string[]) =>
      await Promise.all(texts.map((text) => c.db.execute(insert, text).then(() => "stored", codeOf))),
    togetherInside: (c, texts: string[]) =>
      c.db.transaction(async (tx) => {
        void tx.execute(insert, "first");
        await Promise.all(texts.map((text) => tx.execute(insert, text)));
      }),
    /** Nobody waits for what it writes: its reply must wait all the same. */
    forgotten: (c, text: string) => {
      void c.db.execute(insert, text);
      void c.db.execute(insert, `${text} again`);
      return text;
    },
    changed: async (c) => {
      const bytes = new Uint8Array([1]);
      const first = c.db.execute("SELECT ? AS b", bytes);
      bytes[0] = 2;
      const second = c.db.execute("SELECT ? AS b", bytes);
      return [await first, await second];
    },
    large: async (c, count: number) => {
      const read = () => c.db.execute<{ b: Uint8Array }>("SELECT zeroblob(300000) AS b");
      const all = await Promise.all(Array.from({ length: count }, read));
      return all.map(([row]) => row?.b.byteLength);
    },
  },
});

const one = (text: string): BatchStatement => ({ sql: insert, args: [text] });

test("a batch is stored as a whole, and says what each statement gave; one that fails leaves nothing of it", async () => {
  await using ground = await Ground.start({ notes });
  const a = ground.client.notes.getOrCreate(["a"]);
  expect(
    await a.run([
      one("milk"),
      { sql: "INSERT INTO notes (text) VALUES (:text)", args: { text: "bread" } },
      "SELECT id, text FROM notes ORDER BY id",
      "UPDATE notes SET text = text || '!'",
      { sql: "INSERT INTO notes (text) VALUES (?) RETURNING text", args: ["jam"] },
    ]),
  ).toEqual([
    { columns: [], rows: [], changes: 1, lastInsertRowId: 1 },
    { columns: [], rows: [], changes: 1, lastInsertRowId: 2 },
    {
      columns: ["id", "text"],
      rows: [
        [1, "milk"],
        [2, "bread"],
      ],
      changes: 0,
      lastInsertRowId: null,
    },
    { columns: [], rows: [], changes: 2, lastInsertRowId: 2 },
    { columns: ["text"], rows: [["jam"]], changes: 1, lastInsertRowId: 3 },
  ]);
  expect(await a.code([one("cheese"), "INSERT INTO nowhere VALUES (1)", one("eggs")])).toBe("sql.failed");
  expect(await a.code([one("cheese"), "ROLLBACK", one("eggs")])).toBe("sql.not_allowed");
  // SQLite takes back more than the batch, and the actor starts anew.
  await expect(
    a.code([one("cheese"), "INSERT OR ROLLBACK INTO notes (text) VALUES ('jam')"]),
  ).rejects.toMatchObject({ code: "batch_undone" });
  expect(await a.code([])).toBe("0 results");
  await ground.kill();
  expect(await ground.client.notes.getOrCreate(["a"]).texts()).toEqual(["milk!", "bread!", "jam"]);
});

test("inside a transaction a batch is undone by itself; outside it waits for the transaction's end", async () => {
  await using ground = await Ground.start({ notes });
  const a = ground.client.notes.getOrCreate(["a"]);
  expect(await a.inTransaction()).toEqual(["sql.failed", 1]);
  expect(await a.texts()).toEqual(["outer", "second", "behind it"]);
});

test("a batch is bounded in its statements, its bytes and its results, and nothing of one that is too large is run", async () => {
  await using driver = await Driver.start({ notes }, { databases: true });
  const many = Array.from({ length: limits.sqlBatchStatements + 1 }, () => one("x"));
  const wide = Array.from({ length: 5 }, () => one("x".repeat(1_000_000)));
  const rows =
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60000) SELECT i FROM n";
  const blobs = Array.from({ length: 5 }, () => "SELECT zeroblob(7000000)");
  for (const [statements, code] of [
    [many, "sql.too_many_statements"],
    [wide, "sql.batch_too_large"],
    [[one("x"), rows, rows], "sql.result_too_large"],
    [[one("x"), ...blobs], "sql.result_too_large"],
    [[one("x"), 7], "sql.invalid_statement"],
    [[one("x"), { sql: insert, args: [{}] }], "sql.invalid_parameter"],
    [[one("x"), `${insert} --${"x".repeat(limits.sqlBytes)}`], "sql.text_too_long"],
  ] as const)
    expect(await driver.act("notes", "code", statements)).toMatchObject({ output: code });
  expect(await driver.act("notes", "texts")).toMatchObject({ output: [] });
  expect(
    await driver.act(
      "notes",
      "code",
      many.slice(1).map((_, index) => one(`${index}`)),
    ),
  ).toMatchObject({
    output: `${limits.sqlBatchStatements} results`,
  });
});

test("statements that are awaited together keep their order, and one that fails is its own caller's alone", async () => {
  await using ground = await Ground.start({ notes });
  const a = ground.client.notes.getOrCreate(["a"]);
  const texts = Array.from({ length: 600 }, (_, index) => (index === 300 ? "0" : `${index}`));
  const gave = await a.together(texts);
  expect(gave.indexOf("sql.failed")).toBe(300);
  expect(gave.filter((code) => code === "stored").length).toBe(599);
  expect(await a.texts()).toEqual(texts.filter((_, index) => index !== 300));
  await expect(a.togetherInside(["new", "0"])).rejects.toThrow();
  expect((await a.texts()).length).toBe(599);
  await a.togetherInside(["new", "newer"]);
  expect((await a.texts()).slice(-3)).toEqual(["first", "new", "newer"]);
});

test("what is forgotten is stored before its reply, parameters are those of the call, and much is told in parts", async () => {
  await using ground = await Ground.start({ notes });
  const a = ground.client.notes.getOrCreate(["a"]);
  expect(await a.forgotten("milk")).toBe("milk");
  await ground.kill();
  const again = ground.client.notes.getOrCreate(["a"]);
  expect(await again.texts()).toEqual(["milk", "milk again"]);
  expect(await again.changed()).toEqual([[{ b: new Uint8Array([1]) }], [{ b: new Uint8Array([2]) }]]);
  expect(await again.large(40)).toEqual(new Array(40).fill(300_000));
});

test("a batch that only reads is no write: nothing is stored for it, and it sees what its turn has written", async () => {
  await using ground = await Ground.start({ notes });
  const { storage } = ground.store;
  const open = storage.open.bind(storage);
  let writes = 0;
  vi.spyOn(storage, "open").mockImplementation(async (...given) => {
    const store = await open(...given);
    const sql = store.sql?.bind(store);
    return Object.assign(store, {
      sql: (wrote: () => void) =>
        sql?.(() => {
          writes += 1;
          wrote();
        }),
    });
  });
  const a = ground.client.notes.getOrCreate(["a"]);
  await a.look([{ sql: insert, args: ["one"] }]);
  const before = writes;
  expect(before).toBeGreaterThan(0);
  const count = "SELECT count(*) AS n FROM notes";
  const reads = [count, { sql: "SELECT text FROM notes WHERE id = ?", args: [1] }, "PRAGMA user_version"];
  expect((await a.look(reads)).map(({ rows }) => rows)).toEqual([[[1]], [["one"]], [[0]]]);
  expect(writes).toBe(before);
  // One that writes at its end is a write from its beginning.
  await a.look([count, { sql: insert, args: ["two"] }]);
  expect(writes).toBeGreaterThan(before);
  expect((await a.look([{ sql: `${insert} RETURNING id`, args: ["three"] }, count]))[1]?.rows).toEqual([[3]]);
  expect(await a.code([count, "SELECT * FROM nowhere"])).toBe("sql.failed");
});
