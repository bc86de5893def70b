/** What a crash takes and what it leaves; once more behind actor/v1. */
import { type AnyActorDefinition, actor, type Database, db, setup, setupTest } from "@troupe/runtime";
import { afterEach, expect, test } from "vitest";
import { carried } from "../driver/carried.ts";
import { Scope } from "./scope.ts";

const trail: string[] = [];
afterEach(() => void trail.splice(0));

/** What actions wait for until the test opens it. */
const gates = new Map<string, PromiseWithResolvers<void>>();

const box = actor({
  state: { count: 0 },
  onWake: () => void trail.push("wake"),
  onSleep: (c) => {
    trail.push("sleep");
    c.state.count += 100;
  },
  actions: {
    add: (c) => {
      c.state.count += 1;
      return c.state.count;
    },
    addSlowly: async (c, name: string, gate: string) => {
      c.state.count += 1;
      await c.saveState({ immediate: true });
      trail.push(name);
      await gates.get(gate)?.promise;
      c.state.count += 1;
    },
    read: (c) => c.state.count,
  },
});

/** In the project `carried` the same definitions, their code behind actor/v1. */
function registryOf<U extends Readonly<Record<string, AnyActorDefinition>>>(use: U) {
  return setup({ use: process.env["TROUPE_TEST_CARRIED"] === "1" ? carried(use) : use });
}

const registry = registryOf({ box });

test("evict puts to sleep by id or handle, with the hooks of a sleep", async (t) => {
  const { client, evict, expectAsleep } = await setupTest(t, registry);
  const handle = client.box.getOrCreate(["a"]);
  const id = await handle.resolve();
  await handle.add();
  await evict(id);
  await expectAsleep(id);
  expect(await handle.read()).toBe(101);
  await evict(handle);
  await expectAsleep(id);
  expect(trail).toEqual(["wake", "sleep", "wake", "sleep"]);
});

test("a crash runs no hook and keeps what was stored, no more", async (t) => {
  const { client, crash, evict, expectAsleep } = await setupTest(t, registry);
  const handle = client.box.getOrCreate(["a"]);
  const id = await handle.resolve();
  await handle.add();
  const connection = handle.connect();
  await connection.ready;
  const lost = new Promise<void>((resolve) => connection.onClose(resolve));
  const gate = Promise.withResolvers<void>();
  gates.set("crash", gate);
  const call = handle.addSlowly("begun", "crash");
  const failed = expect(call).rejects.toMatchObject({ code: "stopped" });
  await expect.poll(() => trail).toContain("begun");
  await crash(id);
  await lost;
  await connection.dispose();
  await expectAsleep(id);
  expect(await handle.read()).toBe(2);
  // Its code is still there, and can do nothing any more.
  gate.resolve();
  await failed;
  expect(await handle.read()).toBe(2);
  expect(trail).toEqual(["wake", "begun", "wake"]);
  // One that sleeps has nothing to lose.
  await evict(id);
  await crash(id);
});

test("what a turn wrote and nobody stored is lost with it", async (t) => {
  const { client, crash } = await setupTest(t, registry);
  const handle = client.box.getOrCreate(["a"]);
  const id = await handle.resolve();
  const call = handle.add();
  // In the turn of the call, before its batch is taken.
  await Promise.all([crash(id), expect(call).rejects.toMatchObject({ code: "outcome_unknown" })]);
  expect(await handle.read()).toBe(0);
});

test.each([
  ["before-commit", 1],
  ["after-commit", 2],
] as const)(
  "a crash %s: the caller doesn't know, and the next call finds %i with its own",
  async (at, next) => {
    for (const t of [new Scope()]) {
      const { client, crash } = await setupTest(t, registry);
      const handle = client.box.getOrCreate(["a"]);
      const id = await handle.resolve();
      const crashed = crash(id, at);
      await expect(handle.add()).rejects.toMatchObject({ group: "client", code: "outcome_unknown" });
      await crashed;
      expect(await handle.add()).toBe(next);
      // Once is once.
      expect(await handle.add()).toBe(next + 1);
      await t.end();
    }
  },
);

test("a crash at a point breaks the connections that there are", async (t) => {
  const { client, crash } = await setupTest(t, registry);
  const handle = client.box.getOrCreate(["a"]);
  const id = await handle.resolve();
  const connection = handle.connect();
  await connection.ready;
  const lost = new Promise<void>((resolve) => connection.onClose(resolve));
  const crashed = crash(id, "after-commit");
  await expect(handle.add()).rejects.toMatchObject({ code: "outcome_unknown" });
  await Promise.all([crashed, lost]);
  await connection.dispose();
});

test("crashes that are armed together hit one batch after another", async (t) => {
  const { client, crash } = await setupTest(t, registry);
  const handle = client.box.getOrCreate(["a"]);
  const id = await handle.resolve();
  const crashes = [crash(id, "before-commit"), crash(id, "after-commit")];
  for (const crashed of crashes) {
    await expect(handle.add()).rejects.toMatchObject({ code: "outcome_unknown" });
    await crashed;
  }
  expect(await handle.add()).toBe(2);
});

test("tables are cut off with the state of their batch", async (t) => {
  const ledger = actor({
    state: { count: 0 },
    db: db({
      onMigrate: async (database: Database) => {
        await database.execute("CREATE TABLE IF NOT EXISTS entries (n INTEGER)");
      },
    }),
    actions: {
      add: async (c) => {
        c.state.count += 1;
        await c.db.execute("INSERT INTO entries VALUES (?)", c.state.count);
      },
      both: async (c) => [c.state.count, (await c.db.execute("SELECT n FROM entries")).length],
    },
  });
  const { client, crash } = await setupTest(t, registryOf({ ledger }));
  const handle = client.ledger.getOrCreate(["a"]);
  const id = await handle.resolve();
  await handle.add();
  for (const [at, found] of [
    ["before-commit", [1, 1]],
    ["after-commit", [2, 2]],
  ] as const) {
    const crashed = crash(id, at);
    await expect(handle.add()).rejects.toMatchObject({ code: "outcome_unknown" });
    await crashed;
    expect(await handle.both()).toEqual(found);
  }
});
