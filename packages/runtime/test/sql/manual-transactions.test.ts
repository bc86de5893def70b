/** `BEGIN … COMMIT` by statements: the same slot, the same rules and the same ends as `transaction(callback)`. */
import { actor, db } from "@troupe/runtime";
import { expect, test } from "vitest";
import { splitStatements } from "../../src/sql/statements.ts";
import { controlOf } from "../../src/sql/transaction-control.ts";
import { Driver } from "../driver/driver.ts";
import { codeOf, Latch, watch } from "../driver/watch.ts";
import { Ground } from "./ground.ts";

let latch = new Latch();
let begun = new Latch();

function anew(): void {
  latch = new Latch();
  begun = new Latch();
}

const ledger = actor({
  state: { writes: 0 },
  options: { sleepGracePeriod: 100 },
  db: db({
    onMigrate: async (tx) => {
      await tx.execute("CREATE TABLE IF NOT EXISTS entries (id INTEGER PRIMARY KEY, text TEXT)");
    },
  }),
  actions: {
    texts: async (c) => {
      const rows = await c.db.execute<{ text: string }>("SELECT text FROM entries ORDER BY id");
      return rows.map((row) => row.text);
    },
    add: async (c, text: string) => {
      await c.db.execute("INSERT INTO entries (text) VALUES (?)", text);
    },
    /** Each in turn; `-` waits for the test. The codes of what failed. */
    script: async (c, statements: readonly string[]) => {
      c.state.writes += 1;
      const codes: string[] = [];
      for (const sql of statements) {
        if (sql === "-") {
          begun.open();
          await latch.promise;
        } else if (sql === "save") {
          await c.saveState({ immediate: true }).catch((error: unknown) => codes.push(codeOf(error)));
        } else {
          await c.db.execute(sql).catch((error: unknown) => codes.push(codeOf(error)));
        }
      }
      return codes;
    },
    /** Nobody waits for the statements before the last one. */
    unawaited: async (c) => {
      void c.db.execute("BEGIN");
      void c.db.execute("INSERT INTO entries (text) VALUES ('unawaited')");
      await c.db.execute("ROLLBACK");
    },
    inside: (c) =>
      c.db.transaction(async (tx) => {
        await tx.execute("INSERT INTO entries (text) VALUES ('outer')");
        await tx.execute("SAVEPOINT s");
        await tx.execute("INSERT INTO entries (text) VALUES ('inner')");
        await tx.execute("ROLLBACK TO s");
        await tx.execute("RELEASE s");
        const code = await tx.execute("BEGIN").then(() => "began", codeOf);
        return [code, await tx.execute("COMMIT").then(() => "ended", codeOf)];
      }),
    nested: async (c) => {
      await c.db.execute("BEGIN");
      await c.db.transaction((tx) => tx.execute("INSERT INTO entries (text) VALUES ('kept')"));
      await c.db.execute("COMMIT");
    },
    /** Each in turn, with an item behind it; `-` waits for the test, `!` throws. What failed is its item. */
    items: async function* (c, statements: readonly string[]) {
      for (const sql of statements) {
        if (sql === "!") throw new Error("no");
        if (sql === "-") {
          begun.open();
          await latch.promise;
          yield sql;
        } else {
          yield await c.db.execute(sql).then(() => "ok", codeOf);
        }
      }
    },
    /** A transaction that is begun before the first item is asked for. */
    begins: async (c) => {
      await c.db.execute("BEGIN");
      await c.db.execute(insert("begun"));
      return (async function* () {
        yield "in";
        yield await c.db.execute("COMMIT").then(() => "ok", codeOf);
      })();
    },
    leftInside: (c) => c.db.transaction((tx) => tx.execute("SAVEPOINT s")),
  },
  onRequest: async (c) => {
    await c.db.execute("BEGIN");
    await c.db.execute(insert("head"));
    const texts = ["body", "tail"];
    const pull = async (controller: ReadableStreamDefaultController<Uint8Array>) => {
      const text = texts.shift();
      if (text === undefined) {
        await c.db.execute("COMMIT");
        return controller.close();
      }
      await c.db.execute(insert(text));
      controller.enqueue(new TextEncoder().encode(text));
    };
    return new Response(new ReadableStream({ pull }));
  },
});

const start = () => Driver.start({ ledger }, { databases: true });
async function itemsOf(stream: AsyncIterable<unknown>): Promise<unknown[]> {
  const items: unknown[] = [];
  for await (const item of stream) items.push(item);
  return items;
}

const insert = (text: string) => `INSERT INTO entries (text) VALUES ('${text}')`;

test("it is kept or undone as a whole, also when it is one text", async () => {
  anew();
  await using ground = await Ground.start({ ledger });
  const actor = ground.client.ledger.getOrCreate(["a"]);
  expect(await actor.script(["BEGIN", insert("a"), "COMMIT"])).toEqual([]);
  expect(await actor.script(["BEGIN IMMEDIATE TRANSACTION", insert("b"), "ROLLBACK"])).toEqual([]);
  expect(await actor.script([`BEGIN; ${insert("c")}; -- a comment\n END TRANSACTION;`])).toEqual([]);
  await actor.unawaited();
  await ground.kill();
  expect(await ground.client.ledger.getOrCreate(["a"]).texts()).toEqual(["a", "c"]);
});

test("savepoints are transactions inside: by name, the innermost first, outside of all the outermost", async () => {
  await using driver = await start();
  const script = async (statements: readonly string[]) =>
    (await driver.act("ledger", "script", statements)).output;
  const inside = ["BEGIN", insert("a"), "SAVEPOINT one", insert("b"), 'SAVEPOINT "Two"', insert("c")];
  expect(
    await script([...inside, "ROLLBACK TO SAVEPOINT two", insert("d"), "RELEASE one", "COMMIT"]),
  ).toEqual([]);
  expect((await driver.act("ledger", "texts")).output).toEqual(["a", "b", "d"]);
  expect(await script(["SAVEPOINT x", insert("e"), "ROLLBACK TO x", insert("f"), "RELEASE x"])).toEqual([]);
  expect((await driver.act("ledger", "texts")).output).toEqual(["a", "b", "d", "f"]);
  expect((await driver.act("ledger", "inside")).output).toEqual([
    "sql.transaction_open",
    "sql.no_transaction",
  ]);
  await driver.act("ledger", "nested");
  expect((await driver.act("ledger", "texts")).output).toEqual(["a", "b", "d", "f", "outer", "kept"]);
});

test("while it is open, others wait, nothing is stored, and a crash undoes it", async () => {
  anew();
  await using ground = await Ground.start({ ledger });
  const actor = () => ground.client.ledger.getOrCreate(["a"]);
  await actor().add("before");
  const open = watch(actor().script(["BEGIN", insert("open"), "-", "COMMIT"]));
  await begun.promise;
  const other = watch(actor().add("another"));
  await new Promise((resolve) => setImmediate(resolve));
  expect([open.state, other.state]).toEqual(["pending", "pending"]);
  await ground.kill();
  expect(await actor().texts()).toEqual(["before"]);
  anew();
  latch.open();
  await actor().script(["BEGIN", insert("open"), "-", "COMMIT"]);
  await ground.kill();
  expect(await actor().texts()).toEqual(["before", "open"]);
});

test("who goes back to the outermost savepoint still has the slot: those who wait go on waiting", async () => {
  anew();
  await using ground = await Ground.start({ ledger });
  const actor = ground.client.ledger.getOrCreate(["a"]);
  const undone = ["SAVEPOINT x", insert("undone"), "SAVEPOINT y", "-", "ROLLBACK TO x"];
  const open = actor.script([...undone, insert("first"), "ROLLBACK TO y", "RELEASE x"]);
  await begun.promise;
  const other = watch(actor.add("second"));
  await new Promise((resolve) => setImmediate(resolve));
  expect(other.state).toBe("pending");
  latch.open();
  // The one inside is gone with what was undone.
  expect(await open).toEqual(["sql.no_transaction"]);
  await expect.poll(() => other.state).toBe("resolved");
  expect(await actor.texts()).toEqual(["first", "second"]);
});

test("what is undone as a whole holds up nobody, whatever was open inside of it", async () => {
  await using ground = await Ground.start({ ledger });
  const actor = ground.client.ledger.getOrCreate(["a"]);
  await actor.script(["BEGIN", "SAVEPOINT x", insert("undone"), "SAVEPOINT y", "ROLLBACK"]);
  await actor.script(["SAVEPOINT x", insert("undone"), "SAVEPOINT y"]);
  await actor.add("kept");
  await ground.kill();
  expect(await ground.client.ledger.getOrCreate(["a"]).texts()).toEqual(["kept"]);
});

test("mistakes are told by their codes, and what would wait for itself is refused", async () => {
  await using driver = await start();
  const script = async (statements: readonly string[]) =>
    (await driver.act("ledger", "script", statements)).output;
  expect(await script(["COMMIT", "ROLLBACK", "RELEASE x", "ROLLBACK TO x"])).toEqual(
    Array.from({ length: 4 }, () => "sql.no_transaction"),
  );
  expect(await script(["BEGIN", "BEGIN", "RELEASE nothing", "save", "COMMIT"])).toEqual([
    "sql.transaction_open",
    "sql.no_transaction",
    "sql.output_in_transaction",
  ]);
  // What isn't understood goes to SQLite, which refuses it: nothing ends a batch but the batch.
  expect(await script(["COMMIT AND CHAIN", "EXPLAIN COMMIT"])).toEqual([
    "sql.not_allowed",
    "sql.not_allowed",
  ]);
  expect((await driver.act("ledger", "leftInside")).code).toBe("sql.transaction_unfinished");
});

test("what a chain of calls leaves open is undone at its end, and said in the log", async () => {
  await using driver = await start();
  expect((await driver.act("ledger", "script", ["BEGIN", insert("left")])).output).toEqual([]);
  expect((await driver.act("ledger", "add", "after")).status).toBe(200);
  expect((await driver.act("ledger", "texts")).output).toEqual(["after"]);
  const line = driver.world.lines.find(({ message }) => message === "a transaction was left open");
  expect(codeOf(line?.fields?.["cause"])).toBe("sql.transaction_unfinished");
});

test("the items of a stream are one action: what is begun before one is open behind it, and is kept or undone as a whole", async () => {
  anew();
  await using driver = await start();
  const streamed = driver.local().ledger.getOrCreate(["a"]);
  const all = (...statements: string[]) => itemsOf(streamed.items(statements));
  expect(await all("BEGIN", insert("a"), insert("b"), "COMMIT", insert("c"))).toEqual(Array(5).fill("ok"));
  expect(await all("BEGIN", insert("undone"), "ROLLBACK", "COMMIT")).toEqual([
    "ok",
    "ok",
    "ok",
    "sql.no_transaction",
  ]);
  // Not ended: by its end, by an error, by a reader who goes away.
  expect(await all("BEGIN", insert("left"))).toEqual(["ok", "ok"]);
  await expect(all("BEGIN", insert("thrown"), "!")).rejects.toThrow();
  const reading = watch(all("BEGIN", insert("held"), "-", insert("held, too")));
  await begun.promise;
  const waiting = watch(streamed.add("d"));
  await driver.world.idle();
  // Nobody is told of what may yet be undone, and others wait.
  expect([reading.state, waiting.state]).toEqual(["pending", "pending"]);
  latch.open();
  await driver.world.until(() => waiting.state !== "pending");
  for await (const _item of streamed.items([insert("e"), "BEGIN", insert("gone")])) break;
  expect(await streamed.texts()).toEqual(["a", "b", "c", "d", "e"]);
  const left = driver.world.lines.filter(({ message }) => message === "a transaction was left open");
  expect(left).toHaveLength(4);
});

test("a stream whose transaction's time is over stores none of it", async () => {
  anew();
  await using driver = await start();
  const streamed = driver.local().ledger.getOrCreate(["a"]);
  const reading = itemsOf(streamed.items(["BEGIN", insert("a"), "-", insert("b"), "COMMIT"]));
  await begun.promise;
  await driver.world.pass(5_000);
  latch.open();
  const over = "sql.transaction_timed_out";
  expect(await reading).toEqual(["ok", "ok", "-", over, over]);
  expect(await streamed.texts()).toEqual([]);
});

test("what an action or a handler has begun goes on in the items, or the body, that it returns", async () => {
  await using driver = await start();
  const streamed = driver.local().ledger.getOrCreate([]);
  expect(await itemsOf(await streamed.begins())).toEqual(["in", "ok"]);
  expect(await (await streamed.fetch("/")).text()).toBe("bodytail");
  expect(await streamed.texts()).toEqual(["begun", "head", "body", "tail"]);
});

test("its time ends it: what comes behind is told so until it has ended it", async () => {
  anew();
  await using driver = await start();
  const open = watch(
    driver.act("ledger", "script", ["BEGIN", insert("late"), "-", insert("late"), "COMMIT", insert("free")]),
  );
  await begun.promise;
  await driver.world.pass(5_010);
  latch.open();
  await driver.world.until(() => open.state !== "pending");
  expect(open.value?.output).toEqual(["sql.transaction_timed_out", "sql.transaction_timed_out"]);
  expect((await driver.act("ledger", "texts")).output).toEqual(["free"]);
});

test("texts are taken apart where SQLite does, and control statements are known", () => {
  const texts = (sql: string) => splitStatements(sql).map(({ text }) => text.trim());
  expect(texts("a;b")).toEqual(["a;", "b"]);
  expect(texts("SELECT ';', \";\", `;`, [;] -- ;\n /* ; */; x")).toHaveLength(2);
  const trigger =
    "CREATE TEMP TRIGGER t AFTER INSERT ON x BEGIN DELETE FROM y; SELECT CASE 1 WHEN 1 THEN 2 END; END;";
  expect(texts(`${trigger} COMMIT`)).toEqual([trigger, "COMMIT"]);
  const kind = (sql: string) => controlOf(splitStatements(sql)[0]?.words ?? []);
  expect(kind("/* */ begin exclusive")).toEqual({ kind: "begin" });
  expect(kind("rollback transaction to savepoint [A b]")).toEqual({ kind: "rollbackTo", name: "a b" });
  expect(kind('release "x""y"')).toEqual({ kind: "release", name: 'x"y' });
  expect(kind("END")).toEqual({ kind: "commit" });
  for (const other of ["SELECT 1", "BEGIN x", "COMMIT x", "SAVEPOINT", "ROLLBACK x"])
    expect(kind(other)).toBeUndefined();
});
