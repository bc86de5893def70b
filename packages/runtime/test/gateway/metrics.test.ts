/** `/metrics`: what an operator is told of actors and plugins, and that nothing in it grows with users. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { UserError } from "@troupe/base";
import { actor, db, queue, type Registry, setup } from "@troupe/runtime";
import { expect, onTestFinished, test } from "vitest";
import { CallFigures } from "../../src/gateway/call-figures.ts";
import { LoopLag } from "../../src/gateway/loop-lag.ts";
import { Metrics } from "../../src/gateway/metrics.ts";
import { HostFigures, MOST_NAMES, OTHERS } from "../../src/host/host-figures.ts";
import type { PluginView } from "../../src/ports/plugin-set.ts";
import { CommitFigures } from "../../src/storage/commit-figures.ts";
import { inspected, look } from "../inspector/ground.ts";

const calls = new CallFigures({ monotonic: () => 0 });

const counter = actor({
  state: { count: 0 },
  actions: { increment: (c) => (c.state.count += 1), end: (c) => c.destroy() },
});
const broken = actor({
  createState: (): object => {
    throw new Error("with a secret in it");
  },
  actions: { one: () => 1 },
});

test("starts, stops and instances are told by name and state; of actors that are many, no key and no id", async () => {
  await using driver = await inspected({ counter, broken });
  for (const key of ["ann", "bob", "cay"]) await driver.act(`counter?key=${key}`, "increment");
  const ids = await Promise.all(["ann", "bob"].map((key) => driver.local().counter.get([key]).resolve()));
  await driver.runtime.host.sleep(ids[0] ?? "");
  await driver.act("counter?key=bob", "end");
  await driver.act("broken?key=a", "one");
  await expect(driver.local().broken.getOrCreate(["a"]).one()).rejects.toMatchObject({
    code: "start_failed",
  });
  await driver.world.until(() => driver.runtime.host.size === 1);
  const text: string = (await look(driver, "/metrics")).body;
  for (const line of [
    "troupe_actors_awake 1",
    'troupe_actor_instances{actor_name="counter",state="awake"} 1',
    'troupe_actor_starts_total{actor_name="counter",outcome="ok"} 3',
    'troupe_actor_starts_total{actor_name="broken",outcome="error"} 2',
    'troupe_actor_stops_total{actor_name="counter",reason="sleep"} 1',
    'troupe_actor_stops_total{actor_name="counter",reason="destroy"} 1',
    'troupe_calls_total{actor_name="broken",transport="http",outcome="internal"} 1',
    'troupe_calls_total{actor_name="broken",transport="program",outcome="internal"} 1',
  ])
    expect(text.split("\n")).toContain(line);
  expect(text).not.toMatch(/ann|bob|cay|secret/);
  for (const id of ids) expect(text).not.toContain(id);
});

test("names past the limit are counted together", () => {
  const figures = new HostFigures();
  for (let n = 0; n < MOST_NAMES + 10; n += 1) figures.count(`actor-${n}`, "started");
  figures.count("actor-0", "started");
  const counts = new Map([...figures].map(({ name, count }) => [name, count]));
  expect([counts.size, counts.get("actor-0"), counts.get(OTHERS)]).toEqual([MOST_NAMES + 1, 2, 10]);
});

test("plugins are told by id, and what is in an id ends no label", () => {
  const view: PluginView = {
    ...{ id: 'a"b\\', version: null, carrier: "worker", state: "degraded", error: null },
    ...{ calls: 7, failures: 2, crashes: 3, restarts: 1 },
  };
  const host = { size: 0, figures: new HostFigures(), commits: undefined, places: function* () {} };
  const lines = new Metrics({ host, calls, sockets: () => 0, plugins: { view: () => [view] } })
    .text()
    .split("\n");
  const id = String.raw`{plugin="a\"b\\"}`;
  for (const line of [
    "running{} 0",
    "calls_total{} 7",
    "failures_total{} 2",
    "crashes_total{} 3",
    "restarts_total{} 1",
  ])
    expect(lines).toContain(`troupe_plugin_${line.replace("{}", id)}`);
});

test("commits are told as a histogram of what they took, and how many went together", () => {
  let now = 0;
  const commits = new CommitFigures({ monotonic: () => now });
  for (const [took, batches] of [
    [0.4, 1],
    [3, 20],
    [4, 2],
    [6_000, 1],
  ] as const) {
    const since = commits.now();
    now += took;
    commits.note(since, batches);
  }
  const host = { size: 0, figures: new HostFigures(), commits, places: function* () {} };
  const lines = new Metrics({ host, calls, sockets: () => 0, plugins: undefined }).text().split("\n");
  const name = "troupe_commit_duration_seconds";
  for (const line of [
    `# TYPE ${name} histogram`,
    `${name}_bucket{le="0.0005"} 1`,
    `${name}_bucket{le="0.0025"} 1`,
    `${name}_bucket{le="0.005"} 3`,
    `${name}_bucket{le="5"} 3`,
    `${name}_bucket{le="+Inf"} 4`,
    `${name}_count 4`,
    "troupe_commits_total 24",
  ])
    expect(lines).toContain(line);
  expect(Number(lines.find((line) => line.startsWith(`${name}_sum`))?.split(" ")[1])).toBeCloseTo(6.0074);
});

test("a server on a disk tells of its commits, with a database and without", async () => {
  const folder = mkdtempSync(join(tmpdir(), "troupe-metrics-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const ledger = actor({
    db: db({ onMigrate: async (tx) => void (await tx.execute("CREATE TABLE IF NOT EXISTS t (a)")) }),
    actions: { add: (c) => c.db.execute("INSERT INTO t VALUES (1)").then(() => 1) },
  });
  const registry = setup({ use: { counter, ledger }, token: "t" });
  const { endpoint } = await registry.start({ port: 0, dataDir: folder, signals: false, banner: false });
  onTestFinished(() => registry.stop());
  const told = async (): Promise<number> => {
    const answer = await fetch(`${endpoint}/metrics`, { headers: { authorization: "Bearer t" } });
    return Number(/^troupe_commits_total (\d+)$/m.exec(await answer.text())?.[1]);
  };
  const client = await registry.client();
  await client.counter.getOrCreate(["a"]).increment();
  await client.ledger.getOrCreate(["a"]).add();
  const before = await told();
  await client.counter.getOrCreate(["a"]).increment();
  const between = await told();
  await client.ledger.getOrCreate(["a"]).add();
  expect(before).toBeLessThan(between);
  expect(between).toBeLessThan(await told());
});

test("calls are told by name, door and outcome, with how long they waited and took; names that are no actor's are one", async () => {
  const worker = actor({
    state: {},
    actions: {
      quick: () => 1,
      refuse: () => {
        throw new UserError("no");
      },
      fail: () => {
        throw new Error("with a secret in it");
      },
      items: async function* () {
        yield 1;
      },
    },
  });
  await using driver = await inspected({ worker });
  for (const action of ["quick", "quick", "refuse", "fail", "items"])
    await driver.act("worker?key=ann", action);
  await driver.act("nobody?key=ann", "quick");
  driver
    .socket("/actor/worker/connect?key=ann")
    .hello()
    .action(1, "quick")
    .action(2, "refuse")
    .action(3, "fail");
  await driver.world.idle();
  const text: string = (await look(driver, "/metrics")).body;
  const told = (transport: string, outcome: string, count: number, name = "worker"): string =>
    `troupe_calls_total{actor_name="${name}",transport="${transport}",outcome="${outcome}"} ${count}`;
  for (const line of [
    told("http", "ok", 2),
    ...["user", "internal", "stream"].map((outcome) => told("http", outcome, 1)),
    ...["ok", "user", "internal"].map((outcome) => told("websocket", outcome, 1)),
    told("http", "user", 1, "_other"),
    'troupe_call_duration_seconds_bucket{actor_name="worker",le="+Inf"} 7',
    'troupe_call_duration_seconds_count{actor_name="worker"} 7',
    "troupe_call_wait_seconds_count 8",
  ])
    expect(text.split("\n")).toContain(line);
  expect(text).not.toMatch(/ann|nobody|secret/);
});

test("a call is in the bucket of what it took, and one above all bounds in the last one", () => {
  let now = 0;
  const figures = new CallFigures({ monotonic: () => now });
  const record = { id: "1", namespace: "", name: "a", key: [], createdAt: 0 };
  for (const took of [0.5, 0.6, 40_000]) {
    const since = figures.now();
    now += took;
    figures.ended(record, "http", "ok", since);
  }
  const [bounds] = [...figures.byName.values()].map(({ durations }) => [...durations]);
  expect([bounds?.[0], bounds?.[1], bounds?.at(-1)]).toEqual([
    [0.0005, 1],
    [0.001, 2],
    [30, 2],
  ]);
  expect(figures.byName.get("a")?.durations.sum).toBeCloseTo(40.0011);
  for (let n = 0; n < MOST_NAMES + 10; n += 1) figures.ended({ ...record, name: `n${n}` }, "http", "ok", 0);
  expect(figures.byName.size).toBeLessThanOrEqual(MOST_NAMES + 1);
});

test("calls from one actor to another are told apart from the program's own, and from those that came by a door", async () => {
  const asked = actor({
    state: {},
    actions: {
      quick: () => 1,
      refuse: () => {
        throw new UserError("no");
      },
      items: async function* () {
        yield 1;
      },
    },
    queues: { jobs: queue<number>() },
  });
  const asker = actor({
    state: {},
    actions: {
      ask: async (c, key: string, action: "quick" | "refuse") => {
        const others = c.client<Registry<{ asked: typeof asked }>>().asked;
        return await (key === "" ? others.get(["nobody"]) : others.getOrCreate([key]))[action]();
      },
    },
  });
  await using driver = await inspected({ asked, asker });
  const { asker: askers, asked: direct } = driver.local();
  const ask = (key: string, action: "quick" | "refuse") => askers.getOrCreate(["a"]).ask(key, action);
  await ask("b", "quick");
  await expect(ask("b", "refuse")).rejects.toThrow("no");
  await expect(ask("", "quick")).rejects.toMatchObject({ code: "not_found" });
  const handle = direct.getOrCreate(["b"]);
  await handle.quick();
  for await (const item of await handle.items()) expect(item).toBe(1);
  await handle.send("jobs", 1);
  const text: string = (await look(driver, "/metrics")).body;
  const told = text.split("\n").filter((line) => line.startsWith("troupe_calls_total{"));
  const counted = (name: string, transport: string, outcome: string, count: number): string =>
    `troupe_calls_total{actor_name="${name}",transport="${transport}",outcome="${outcome}"} ${count}`;
  expect(told.toSorted()).toEqual(
    [
      counted("asked", "actor", "ok", 1),
      counted("asked", "actor", "user", 1),
      counted("_other", "actor", "user", 1),
      counted("asked", "program", "ok", 1),
      counted("asked", "program", "stream", 1),
      counted("asker", "program", "ok", 1),
      counted("asker", "program", "user", 2),
    ].toSorted(),
  );
});

test("an event loop that is held comes late to what is due, and is seen to be", () => {
  let now = 0;
  const due: (readonly [task: () => void, at: number])[] = [];
  const lag = new LoopLag({
    clock: { now: () => now, monotonic: () => now },
    timers: {
      set: (task, delayMs, options) => {
        expect(options).toEqual({ background: true });
        return due.push([task, now + delayMs]);
      },
      clear: () => due.splice(0),
    },
  });
  for (const late of [0, 1, 300, 7_000]) {
    const [task, at] = due.shift() ?? expect.fail("nobody looks");
    now = at + late;
    task();
  }
  const host = { size: 0, figures: new HostFigures(), commits: undefined, places: function* () {} };
  const parts = { host, calls, sockets: () => 0, plugins: undefined };
  const lines = new Metrics({ ...parts, loopLag: lag.times }).text().split("\n");
  const name = "troupe_event_loop_lag_seconds";
  for (const line of [
    `${name}_bucket{le="0.0025"} 2`,
    `${name}_bucket{le="0.25"} 2`,
    `${name}_bucket{le="0.5"} 3`,
    `${name}_bucket{le="5"} 3`,
    `${name}_bucket{le="+Inf"} 4`,
    `${name}_sum 7.301`,
  ])
    expect(lines).toContain(line);
  lag.close();
  expect(due).toEqual([]);
  expect(new Metrics(parts).text()).not.toContain(name);
});
