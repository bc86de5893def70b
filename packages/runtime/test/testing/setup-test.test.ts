/** What `setupTest` gives a test. */
import { connect, createServer } from "node:net";
import { actor, type Database, db, setup, setupTest } from "@troupe/runtime";
import { afterEach, expect, test } from "vitest";
import { nodeEnv } from "../../src/node/env.ts";
import { VirtualTime } from "../../src/testing/virtual-time.ts";

const trail: string[] = [];
afterEach(() => void trail.splice(0));

/** What actions wait for until the test opens it. */
const gates = new Map<string, PromiseWithResolvers<void>>();

const box = actor({
  state: { count: 0, rung: [] as string[] },
  vars: { lives: 0 },
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
    ring: (c, name: string, ms: number) => void c.schedule.after(ms, "rang", name),
    rang: (c, name: string) => void c.state.rung.push(name),
    chain: async (c, left: number) => {
      c.state.rung.push(String(left));
      if (left > 0) await c.schedule.after(1_000, "chain", left - 1);
    },
    read: (c) => ({ count: c.state.count, rung: [...c.state.rung] }),
    timer: () => void setInterval(() => {}, 60_000),
    unreferenced: () => void setTimeout(() => {}, 60_000).unref(),
    socket: (_c, port: number) => void connect(port, "127.0.0.1").on("error", () => {}),
  },
});

const registry = setup({ use: { box } });

/** A context of node:test's, or vitest's, whose end the story sees. */
class Scope {
  readonly ends: (() => Promise<void>)[] = [];

  after(end: () => Promise<void>): void {
    this.ends.push(end);
  }

  async end(): Promise<void> {
    for (const end of this.ends.splice(0)) await end();
  }
}

test("time moves when it is told to: schedules ring in order, each with what it starts, and actors fall asleep", async (t) => {
  const { client, clock, expectAsleep } = await setupTest(t, registry);
  const handle = client.box.getOrCreate(["a"]);
  const id = await handle.resolve();
  const began = clock.now();
  await handle.ring("second", 2_000);
  await handle.ring("first", 1_000);
  await handle.ring("tomorrow", 86_400_000);
  await clock.advance(999);
  expect((await handle.read()).rung).toEqual([]);
  await clock.advance(1);
  expect((await handle.read()).rung).toEqual(["first"]);
  await clock.advance(86_400_000);
  expect((await handle.read()).rung).toEqual(["first", "second", "tomorrow"]);
  expect(clock.now() - began).toBe(86_401_000);

  await handle.chain(3);
  await clock.advance(3_000);
  expect((await handle.read()).rung.slice(3)).toEqual(["3", "2", "1", "0"]);
  await expect(expectAsleep(id)).rejects.toMatchObject({ group: "test", code: "not_asleep" });
  await clock.advance(60_000);
  await expectAsleep(id);
  expect(trail.filter((event) => event === "sleep").length).toBeGreaterThan(1);
});

test("evict puts to sleep by id or handle, with the hooks of a sleep", async (t) => {
  const { client, evict, expectAsleep } = await setupTest(t, registry);
  const handle = client.box.getOrCreate(["a"]);
  const id = await handle.resolve();
  await handle.add();
  await evict(id);
  await expectAsleep(id);
  expect((await handle.read()).count).toBe(101);
  await evict(handle);
  await expectAsleep(id);
  expect(trail).toEqual(["wake", "sleep", "wake", "sleep"]);
});

test("a crash runs no hook and keeps what was stored, no more", async (t) => {
  const { client, crash, expectAsleep } = await setupTest(t, registry);
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
  expect((await handle.read()).count).toBe(2);
  // Its code is still there, and can do nothing any more.
  gate.resolve();
  await failed;
  expect((await handle.read()).count).toBe(2);
  expect(trail).toEqual(["wake", "begun", "wake"]);
  // One that sleeps has nothing to lose.
  await crash("nobody");
});

test("what a turn wrote and nobody stored is lost with it", async (t) => {
  const { client, crash } = await setupTest(t, registry);
  const handle = client.box.getOrCreate(["a"]);
  const id = await handle.resolve();
  const call = handle.add();
  // In the turn of the call, before its batch is taken.
  await Promise.all([crash(id), expect(call).rejects.toMatchObject({ code: "outcome_unknown" })]);
  expect((await handle.read()).count).toBe(0);
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
  const { client, crash } = await setupTest(t, setup({ use: { ledger } }));
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

test("timers and sockets that actors leave behind are named, with where they were made", async () => {
  const server = createServer((socket) => void socket.on("error", () => socket.destroy()));
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const scope = new Scope();
  const { client } = await setupTest(scope, registry);
  const handle = client.box.getOrCreate(["a", "b"]);
  await handle.unreferenced();
  await handle.timer();
  await handle.socket(port);
  const own = setInterval(() => {}, 60_000);
  const error = await scope.end().catch((cause: Error) => cause);
  clearInterval(own);
  server.close();
  expect(error).toMatchObject({
    ...{ group: "test", code: "leaked" },
    metadata: { leaks: [{ what: "a timer", actor: 'box ["a","b"]' }, { what: "a socket" }] },
  });
  expect(String(error)).toMatch(/a timer of box \["a","b"\], made\n {4}at .*setup-test\.test\.ts/);
});

test("a test that leaves nothing ends well, and each has a store of its own", async (t) => {
  const first = new Scope();
  const one = await setupTest(first, registry);
  expect(await one.client.box.getOrCreate(["a"]).add()).toBe(1);
  await first.end();
  const two = await setupTest(t, registry);
  expect(await two.client.box.getOrCreate(["a"]).add()).toBe(1);
});

test("timers that set themselves anew without a wait are told of", async () => {
  const time = new VirtualTime(nodeEnv(), 0);
  const again = (): void => void time.timers.set(again, 0);
  again();
  await expect(time.pass(1, 100)).rejects.toMatchObject({ group: "test", code: "endless_timers" });
});

test("the real clock is nobody's to move", async (t) => {
  const { client, clock } = await setupTest(t, registry, { clock: "real" });
  await client.box.getOrCreate(["a"]).add();
  expect(Math.abs(clock.now() - Date.now())).toBeLessThan(60_000);
  await expect(clock.advance(1)).rejects.toMatchObject({ group: "test", code: "real_clock" });
});
