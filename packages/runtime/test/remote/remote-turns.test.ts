/**
 * What an actor with a database stores together, here and on a host, where a statement is a question: its turn goes on with the
 * answer, and all that it wrote is one batch.
 */
import { TroupeError } from "@troupe/base";
import { limits } from "@troupe/protocol";
import { actor, db } from "@troupe/runtime";
import { expect, test } from "vitest";
import type { AnyActorDefinition } from "../../src/actor/definition.ts";
import { remoteActor } from "../../src/remote/remote-actor.ts";
import { Driver } from "../driver/driver.ts";
import { watch } from "../driver/watch.ts";
import { startHost } from "./host.ts";

/** An action that is on its way until the test lets it end. */
const held = Promise.withResolvers<void>();

const insert = "INSERT INTO entries VALUES (1)";

const ledger = actor({
  state: { count: 0, bag: new Map<string, unknown>() },
  db: db({
    onMigrate: async (database) => {
      await database.execute("CREATE TABLE IF NOT EXISTS entries (amount INTEGER)");
    },
  }),
  actions: {
    plain: async (c) => {
      await c.db.execute(insert);
      c.state.count += 1;
    },
    stateFirst: async (c) => {
      c.state.count += 1;
      await c.db.execute(insert);
    },
    manyTurns: async (c) => {
      for (let n = 0; n < 5; n += 1) {
        await c.db.execute(insert);
        c.state.count += 1;
      }
    },
    between: async (c) => {
      c.state.count += 1;
      await c.db.execute("SELECT count(*) AS rows FROM entries");
      c.state.count += 1;
    },
    failed: async (c) => {
      c.state.count += 1;
      await c.db.execute("INSERT INTO nothing VALUES (1)").catch(() => (c.state.count += 1));
    },
    together: (c) => {
      c.state.count += 1;
      return Promise.all([c.db.execute(insert), c.db.execute(insert)]).then(() => "done");
    },
    transaction: async (c) =>
      await c.db.transaction(async (tx) => {
        await tx.execute(insert);
        await tx.execute(insert);
        c.state.count += 1;
      }),
    afterTransaction: async (c) => {
      await c.db.transaction(async (tx) => void (await tx.execute(insert)));
      c.state.count += 1;
      await c.db.execute(insert);
    },
    undone: async (c) => {
      const undo = c.db.transaction(async (tx) => {
        await tx.execute(insert);
        throw new Error("undone");
      });
      c.state.count += 1;
      await undo.catch(() => (c.state.count += 1));
    },
    held: () => held.promise,
    waits: async (c) => {
      await c.db.execute(insert);
      await new Promise((resolve) => setTimeout(resolve));
      c.state.count += 1;
    },
    poison: async (c) => {
      await c.db.execute(insert);
      c.state.bag.set("poison", () => 6);
    },
    poisonAlone: (c) => void c.state.bag.set("poison", () => 6),
    poisonFirst: async (c) => {
      c.state.bag.set("poison", () => 6);
      await c.db.execute(insert);
    },
    poisonTransaction: (c) =>
      c.db.transaction(async (tx) => {
        await tx.execute(insert);
        c.state.bag.set("poison", () => 6);
      }),
    outsize: async (c) => {
      await c.db.execute(insert);
      const value = new Uint8Array(limits.kvValueBytes);
      for (let n = 0; n * value.byteLength <= limits.batchBytes; n += 1) void c.kv.put(`${n}`, value);
    },
    sums: async (c) => {
      const [row] = await c.db.execute<{ rows: number }>("SELECT count(*) AS rows FROM entries");
      return { count: c.state.count, rows: row?.rows };
    },
  },
});

interface Use extends Record<string, AnyActorDefinition> {
  readonly ledger: AnyActorDefinition;
}
type LedgerDriver = Driver<Use>;

async function embedded(): Promise<LedgerDriver> {
  return await Driver.start<Use>({ ledger }, { databases: true });
}

async function onHost(): Promise<LedgerDriver> {
  const use = { ledger: remoteActor<typeof ledger>({ database: true }) };
  const driver = await Driver.start<Use>(use, { databases: true, hostToken: "secret" });
  startHost({ world: driver.world, hosts: () => driver.runtime.hosts, use: { ledger } });
  await driver.world.idle();
  return driver;
}

/** How many batches an action's writes were stored in: a crash between two of them leaves the first. */
async function batchesOf(driver: LedgerDriver, name: string, idempotencyKey?: string): Promise<number> {
  const before = driver.taken.length;
  const key = idempotencyKey === undefined ? {} : { idempotencyKey };
  await driver
    .client()
    .getOrCreate("ledger", "a")
    .action({ name, args: [], ...key });
  await driver.world.idle();
  return driver.taken.length - before;
}

const places = [
  ["embedded", embedded],
  ["on a host", onHost],
] as const;

const oneBatch = [
  "plain",
  "stateFirst",
  "manyTurns",
  "between",
  "failed",
  "together",
  "transaction",
  "afterTransaction",
  "undone",
];

test.each(places)(
  "%s: an action with SQL and state is one batch, with its key's result, too",
  async (_, start) => {
    await using driver = await start();
    // The first one wakes it.
    await batchesOf(driver, "plain");
    const found: Record<string, number> = {};
    const keyed: Record<string, number> = {};
    for (const action of oneBatch) {
      found[action] = await batchesOf(driver, action);
      keyed[action] = await batchesOf(driver, action, "key-1");
      expect(await batchesOf(driver, action, "key-1")).toBe(0);
    }
    const one = Object.fromEntries(oneBatch.map((action) => [action, 1]));
    expect([found, keyed]).toEqual([one, one]);
  },
);

const cuts = [
  ["embedded", "plain", embedded, 1, { count: 1, rows: 1 }],
  ["on a host", "plain", onHost, 1, { count: 1, rows: 1 }],
  ["on a host", "stateFirst", onHost, 1, { count: 1, rows: 1 }],
  ["on a host", "manyTurns", onHost, 1, { count: 1, rows: 1 }],
  ["on a host", "transaction", onHost, 1, { count: 1, rows: 1 }],
] as const;

test.each(cuts)(
  "%s, `%s`: what is left of it when the disk takes no more",
  async (_, action, start, last, left) => {
    await using driver = await start();
    await batchesOf(driver, "plain");
    let batches = 0;
    driver.disk.faults.beforeWrite = () => {
      batches += 1;
      if (batches >= last) throw new Error("no room");
    };
    expect(await driver.act("ledger?key=a", action)).toMatchObject({ code: "storage.commit_failed" });
    delete driver.disk.faults.beforeWrite;
    await driver.world.idle();
    expect(await driver.act("ledger?key=a", "sums")).toMatchObject({ output: left });
  },
);

const unstorable = {
  poison: { code: "value.unsupported_type", applied: "no" },
  poisonFirst: { code: "value.unsupported_type", applied: "no" },
  poisonTransaction: { code: "value.unsupported_type", applied: "no" },
  outsize: { code: "storage.batch_too_large", applied: "no" },
};

test.each(places)(
  "%s: what can't be stored fails with its own error, and its statements aren't stored",
  async (_, start) => {
    await using driver = await start();
    await batchesOf(driver, "plain");
    const actor = driver.client().getOrCreate("ledger", "a");
    const found: Record<string, unknown> = {};
    for (const name of Object.keys(unstorable)) {
      const call = watch(actor.action({ name, args: [] }));
      await driver.world.idle();
      found[name] = {
        code: call.code,
        applied: TroupeError.is(call.error) && call.error.metadata?.["applied"],
      };
      await driver.world.idle();
      expect(await driver.act("ledger?key=a", "sums")).toMatchObject({ output: { count: 1, rows: 1 } });
    }
    expect(found).toEqual(unstorable);
  },
);

test.each(places)(
  "%s: what can't be stored takes along the statements that run beside it",
  async (_, start) => {
    await using driver = await start();
    await batchesOf(driver, "plain");
    const actor = driver.client().getOrCreate("ledger", "a");
    for (const beside of ["plain", "transaction", "stateFirst"]) {
      const calls = [beside, "poisonAlone", beside].map((name) => watch(actor.action({ name, args: [] })));
      await driver.world.idle();
      expect(calls.map(({ code }) => code)).toEqual(Array(3).fill("value.unsupported_type"));
      await driver.world.idle();
      expect(await driver.act("ledger?key=a", "sums")).toMatchObject({ output: { count: 1, rows: 1 } });
    }
  },
);

test("what a call with a key had still to tidy up when its engine was lost is nobody's failure", async () => {
  const use = { ledger: remoteActor<typeof ledger>({ database: true }) };
  await using driver = await Driver.start<Use>(use, { databases: true, hostToken: "secret" });
  const hosts = () => driver.runtime.hosts;
  const { links, client } = startHost({ world: driver.world, hosts, use: { ledger } });
  await driver.world.idle();
  const handle = driver.client().getOrCreate("ledger", "a");
  const call = watch(handle.action({ name: "held", args: [], idempotencyKey: "key-1" }));
  await driver.world.idle();
  hosts().accept = () => {};
  links[0]?.break();
  await driver.world.pass(10);
  // It ends, and asks for what is old: no answer comes.
  held.resolve();
  await driver.world.pass(limits.hostResumeMs * 2);
  expect([client.size, call.state]).toEqual([0, "pending"]);
  expect(driver.world.logged("warn", "could not be forgotten")).toEqual([]);
});
