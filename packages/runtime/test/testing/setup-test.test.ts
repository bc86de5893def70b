/** What `setupTest` gives a test: time, and an end. */
import { connect, createServer } from "node:net";
import { actor, event, setup, setupTest } from "@troupe/runtime";
import { afterEach, expect, test, vi } from "vitest";
import { nodeEnv } from "../../src/node/env.ts";
import { VirtualTime } from "../../src/testing/virtual-time.ts";
import { Scope } from "./scope.ts";

const YEAR_MS = 365 * 86_400_000;

const trail: string[] = [];
afterEach(() => void trail.splice(0));

const box = actor({
  state: { count: 0, rung: [] as string[] },
  onWake: () => void trail.push("wake"),
  onSleep: (c) => {
    trail.push("sleep");
    c.state.count += 100;
  },
  events: { rang: event<string>() },
  actions: {
    daily: (c) => c.cron.set({ name: "daily", expression: "0 9 * * *", action: "rang", args: ["morning"] }),
    call: (c, name: string) => void c.broadcast("rang", name),
    add: (c) => {
      c.state.count += 1;
      return c.state.count;
    },
    ring: (c, name: string, ms: number) => void c.schedule.after(ms, "rang", name),
    ringAt: (c, name: string, at: number) => void c.schedule.at(at, "rang", name),
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

test("years in which nothing happens are one step, and a daily job's year is 365 of them", async (t) => {
  const { client, clock } = await setupTest(t, registry);
  const handle = client.box.getOrCreate(["a"]);
  await handle.ring("at last", 30 * YEAR_MS);
  // Timers that rang each minute would be more than one advance may ring.
  await clock.advance(30 * YEAR_MS);
  expect((await handle.read()).rung).toEqual(["at last"]);
  await handle.daily();
  await clock.advance(YEAR_MS);
  expect((await handle.read()).rung.filter((name) => name === "morning")).toHaveLength(365);
});

test("a connection stays while its actor sleeps, breaks when it crashes, and hears of what comes next", async (t) => {
  const { client, clock, crash, expectAsleep } = await setupTest(t, registry);
  const handle = client.box.getOrCreate(["a"]);
  const id = await handle.resolve();
  const conn = handle.connect();
  const heard: string[] = [];
  conn.on("rang", (name) => void heard.push(name));
  await conn.call("awake");
  await clock.advance(60_000);
  await expectAsleep(id);
  expect(conn.connStatus).toBe("connected");
  trail.splice(0);
  await conn.call("again");
  await clock.advance(0);
  expect(heard).toEqual(["awake", "again"]);
  expect(trail).toEqual(["wake"]);

  await crash(id);
  expect(conn.connStatus).not.toBe("connected");
  await clock.advance(60_000);
  expect(conn.connStatus).toBe("connected");
  await conn.call("back");
  await clock.advance(0);
  expect(heard).toEqual(["awake", "again", "back"]);
});

test("who schedules by the real clock, behind the test's, is warned", async (t) => {
  const said: string[] = [];
  const writing = vi.spyOn(process.stderr, "write").mockImplementation((line) => said.push(String(line)) > 0);
  t.onTestFinished(() => writing.mockRestore());
  const { client, clock } = await setupTest(t, registry);
  const handle = client.box.getOrCreate(["a"]);
  await handle.ringAt("real", Date.now() + 60_000);
  expect(said).toEqual([]);
  await clock.advance(1_800_000);
  await handle.ring("by the clock", 60_000);
  expect(said).toEqual([]);
  await handle.ringAt("too early", Date.now() + 60_000);
  expect(said.join()).toContain("c.schedule.after() follows and Date.now() doesn't");
});

test("what is no time to go forward is refused, and the clock stays what it was", async (t) => {
  const { client, clock } = await setupTest(t, registry);
  const handle = client.box.getOrCreate(["a"]);
  await handle.ring("tea", 1_000);
  const began = clock.now();
  for (const ms of [Number.NaN, -1_000, Infinity, 1e18, "1000" as never])
    await expect(clock.advance(ms), String(ms)).rejects.toMatchObject({ group: "test", code: "not_a_time" });
  expect(clock.now()).toBe(began);
  await clock.advance(1_000);
  expect((await handle.read()).rung).toEqual(["tea"]);
});

test("an unknown actor, and an unknown point of a crash, are refused at once", async (t) => {
  const { client, crash, evict, expectAsleep } = await setupTest(t, registry);
  const id = await client.box.getOrCreate(["a"]).resolve();
  await expect(crash(id, "before-comit" as "before-commit")).rejects.toMatchObject({
    ...{ group: "test", code: "unknown_crash_point" },
    message: expect.stringContaining('"before-commit", "after-commit"'),
  });
  const unknown = { group: "test", code: "unknown_actor" };
  await expect(crash("nope", "after-commit")).rejects.toMatchObject(unknown);
  await expect(crash("nope")).rejects.toMatchObject(unknown);
  await expect(evict("nope")).rejects.toMatchObject(unknown);
  await expect(expectAsleep("nope")).rejects.toMatchObject(unknown);
});

test("the real clock is nobody's to move", async (t) => {
  const { client, clock } = await setupTest(t, registry, { clock: "real" });
  await client.box.getOrCreate(["a"]).add();
  expect(Math.abs(clock.now() - Date.now())).toBeLessThan(60_000);
  await expect(clock.advance(1)).rejects.toMatchObject({ group: "test", code: "real_clock" });
});
