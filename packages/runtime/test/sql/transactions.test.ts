/** Transactions that last: what they keep back, what is undone with them, and what ends them. */
import { actor, type Database, db, event } from "@troupe/runtime";
import { expect, test } from "vitest";
import { Driver } from "../driver/driver.ts";
import { codeOf, Latch, watch } from "../driver/watch.ts";
import { Ground } from "./ground.ts";

/** Held by the test: the transaction goes on when it is opened. */
let latch = new Latch();
let begun = new Latch();
/** What code that was left behind has met. */
let behind: string[] = [];

const insert = (tx: Database, text: string) => tx.execute("INSERT INTO entries (text) VALUES (?)", text);

const ledger = actor({
  state: { writes: 0 },
  events: { said: event<string>() },
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
    all: async (c) => [c.state.writes, await c.kv.get("last")],
    add: (c, text: string) => insert(c.db, text),
    write: (c) => {
      c.state.writes += 1;
      c.broadcast("said", `write ${c.state.writes}`);
      return c.state.writes;
    },
    held: (c, end: "kept" | "undone", timeout = 5_000) =>
      c.db.transaction(
        async (tx) => {
          await insert(tx, "held");
          c.state.writes += 10;
          await c.kv.put("last", "held");
          c.broadcast("said", "held");
          begun.open();
          await latch.promise;
          await insert(c.db, "through c.db");
          if (end === "undone") throw new Error("no");
          return "kept";
        },
        { timeout },
      ),
    nested: (c) =>
      c.db.transaction(async (tx) => {
        await insert(tx, "outer");
        await tx
          .transaction(async (inner) => {
            await insert(inner, "inner");
            await latch.promise;
            throw new Error("no");
          })
          .catch(() => {});
        await insert(tx, "outer again");
      }),
    besides: (c) =>
      c.db.transaction(async (tx) => {
        const undone = tx.transaction(async (inner) => {
          await insert(inner, "undone");
          await latch.promise;
          throw new Error("no");
        });
        const kept = tx.transaction((inner) => insert(inner, "kept"));
        const plain = insert(tx, "plain");
        await Promise.allSettled([undone, kept, plain]);
      }),
    waits: (c, what: keyof typeof waits) =>
      c.db.transaction(async () => {
        await latch.promise;
        await waits[what](c);
      }),
    leftBehind: (c) =>
      c.db.transaction(
        async (tx) => {
          await insert(tx, "late");
          begun.open();
          await latch.promise;
          for (const attempt of [
            () => insert(tx, "tx"),
            () => insert(c.db, "c.db"),
            () => tx.transaction(() => 1),
          ])
            behind.push(await attempt().then(() => "it went well", codeOf));
        },
        { timeout: 1_000 },
      ),
    timeout: (c, timeout: number) => c.db.transaction(() => "ran", { timeout }),
    deep: async (c, levels: number) => {
      const inside = async (tx: Database, level: number): Promise<void> => {
        if (level < levels) await tx.transaction((inner) => inside(inner, level + 1));
      };
      await inside(c.db, 0);
    },
  },
});

const waits = {
  save: (c: { saveState(options: { immediate: boolean }): Promise<void> }) =>
    c.saveState({ immediate: true }),
  call: (c: { client(): { getOrCreate(name: string, key: string[]): { resolve(): Promise<string> } } }) =>
    c.client().getOrCreate("ledger", ["other"]).resolve(),
};

function anew(): void {
  latch = new Latch();
  begun = new Latch();
  behind = [];
}

const start = () => Driver.start({ ledger }, { databases: true });

test("a transaction that waits is stored whole, with the state and the keys that were written meanwhile", async () => {
  anew();
  await using ground = await Ground.start({ ledger });
  const actor = () => ground.client.ledger.getOrCreate(["a"]);
  await actor().write();
  const held = actor().held("kept");
  held.catch(() => {});
  await begun.promise;
  await ground.kill();
  // Nothing of it was told, and nothing is there.
  expect(await actor().texts()).toEqual([]);
  expect(await actor().all()).toEqual([1, null]);
  anew();
  const again = actor().held("kept");
  await begun.promise;
  latch.open();
  expect(await again).toBe("kept");
  await ground.kill();
  expect(await actor().texts()).toEqual(["held", "through c.db"]);
  expect(await actor().all()).toEqual([11, "held"]);
});

test("one that throws after it has waited is undone; state and keys stay", async () => {
  anew();
  await using ground = await Ground.start({ ledger });
  const actor = () => ground.client.ledger.getOrCreate(["a"]);
  const held = actor().held("undone");
  held.catch(() => {});
  await begun.promise;
  latch.open();
  await expect(held).rejects.toThrow();
  await ground.kill();
  expect(await actor().texts()).toEqual([]);
  expect(await actor().all()).toEqual([10, "held"]);
});

test("while it is open, whatever is written or said waits, and leaves in order when it has ended", async () => {
  anew();
  await using driver = await start();
  await driver.act("ledger", "write");
  const socket = driver.socket("/actor/ledger/connect").hello().subscribe(1, "said");
  await driver.world.idle();
  const held = watch(driver.act("ledger", "held", "kept"));
  await driver.world.until(() => driver.world.pendingTimers > 0);
  await begun.promise;
  const write = watch(driver.act("ledger", "write"));
  await driver.world.idle();
  expect([held.state, write.state, socket.story]).toEqual([
    "pending",
    "pending",
    ["welcome", "subscribed 1"],
  ]);
  latch.open();
  await driver.world.until(() => write.state !== "pending" && held.state !== "pending");
  expect([held.value?.output, write.value?.output]).toEqual(["kept", 12]);
  await driver.world.idle();
  expect(socket.story.slice(2)).toEqual(['event said ["held"]', 'event said ["write 12"]']);
});

for (const end of ["kept", "undone"] as const) {
  test(`statements of others wait until it is ${end}, and are in no part of it`, async () => {
    anew();
    await using driver = await start();
    await driver.act("ledger", "texts");
    const held = watch(driver.act("ledger", "held", end));
    await begun.promise;
    const add = watch(driver.act("ledger", "add", "another"));
    const texts = watch(driver.act("ledger", "texts"));
    await driver.world.idle();
    expect([add.state, texts.state]).toEqual(["pending", "pending"]);
    latch.open();
    await driver.world.until(() => texts.state !== "pending" && held.state !== "pending");
    const own = end === "kept" ? ["held", "through c.db"] : [];
    expect(texts.value?.output).toEqual([...own, "another"]);
  });
}

test("one inside another waits by itself, and is undone by itself", async () => {
  anew();
  await using driver = await start();
  const nested = watch(driver.act("ledger", "nested"));
  await driver.world.idle();
  latch.open();
  await driver.world.until(() => nested.state !== "pending");
  expect((await driver.act("ledger", "texts")).output).toEqual(["outer", "outer again"]);
});

test("what runs beside one inside another is in no part of it", async () => {
  anew();
  await using driver = await start();
  const besides = watch(driver.act("ledger", "besides"));
  await driver.world.idle();
  latch.open();
  await driver.world.until(() => besides.state !== "pending");
  const { output } = await driver.act("ledger", "texts");
  expect(Array.isArray(output) && output.toSorted()).toEqual(["kept", "plain"]);
});

for (const what of ["save", "call"] as const) {
  test(`what waits for itself is refused behind an await as well: ${what}`, async () => {
    anew();
    await using driver = await start();
    const waiting = watch(driver.act("ledger", "waits", what));
    await driver.world.idle();
    latch.open();
    await driver.world.until(() => waiting.state !== "pending");
    expect(waiting.value?.code).toBe("sql.output_in_transaction");
    expect((await driver.act("ledger", "add", "after")).status).toBe(200);
  });
}

test("one that takes too long is undone, others go on, and what it left behind writes nothing", async () => {
  anew();
  await using driver = await start();
  await driver.act("ledger", "texts");
  const late = watch(driver.act("ledger", "leftBehind"));
  await begun.promise;
  const add = watch(driver.act("ledger", "add", "another"));
  await driver.world.pass(999);
  expect([late.state, add.state]).toEqual(["pending", "pending"]);
  await driver.world.pass(10);
  await driver.world.until(() => late.state !== "pending" && add.state !== "pending");
  expect([late.value?.code, add.value?.status]).toEqual(["sql.transaction_timed_out", 200]);
  latch.open();
  await driver.world.until(() => behind.length === 3);
  expect(new Set(behind)).toEqual(new Set(["sql.transaction_timed_out"]));
  expect((await driver.act("ledger", "texts")).output).toEqual(["another"]);
});

test("S3.2 (in part) the end of its activation undoes it, and the next one goes on with what was stored", async () => {
  anew();
  await using ground = await Ground.start({ ledger });
  const actor = ground.client.ledger.getOrCreate(["a"]);
  await actor.add("before");
  const held = actor.held("kept");
  held.catch(() => {});
  await begun.promise;
  await ground.runtime.host.sleep(await actor.resolve());
  expect(await actor.texts()).toEqual(["before"]);
  latch.open();
  await expect(held).rejects.toThrow();
  expect(await actor.texts()).toEqual(["before"]);
  // State and keys are no part of it.
  expect(await actor.all()).toEqual([10, "held"]);
});

test("a time-out has limits, and so has the depth", async () => {
  await using driver = await start();
  expect((await driver.act("ledger", "timeout", 60_000)).output).toBe("ran");
  for (const timeout of [0, -1, 60_001, "5"]) {
    expect((await driver.act("ledger", "timeout", timeout)).code).toBe("sql.invalid_timeout");
  }
  expect((await driver.act("ledger", "deep", 32)).status).toBe(200);
  expect((await driver.act("ledger", "deep", 33)).code).toBe("sql.too_many_transactions");
  expect((await driver.act("ledger", "add", "after")).status).toBe(200);
});
