/** What `setupTest` gives a test: time, and an end. */
import { connect, createServer } from "node:net";
import { actor, setup, setupTest } from "@troupe/runtime";
import { afterEach, expect, test } from "vitest";
import { nodeEnv } from "../../src/node/env.ts";
import { VirtualTime } from "../../src/testing/virtual-time.ts";
import { Scope } from "./scope.ts";

const trail: string[] = [];
afterEach(() => void trail.splice(0));

const box = actor({
  state: { count: 0, rung: [] as string[] },
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

test("the real clock is nobody's to move", async (t) => {
  const { client, clock } = await setupTest(t, registry, { clock: "real" });
  await client.box.getOrCreate(["a"]).add();
  expect(Math.abs(clock.now() - Date.now())).toBeLessThan(60_000);
  await expect(clock.advance(1)).rejects.toMatchObject({ group: "test", code: "real_clock" });
});
