/** What the inspector shows of actors that are awake, asleep, and elsewhere; and that it is behind the gate. */
import { UserError } from "@troupe/base";
import { encodeKey } from "@troupe/protocol";
import { actor, queue } from "@troupe/runtime";
import { expect, test } from "vitest";
import { watch } from "../driver/watch.ts";
import { type AnyDriver, inspected, look } from "./ground.ts";

const woken: string[] = [];
const counter = actor({
  state: { count: 0, tags: new Map([["a", 1]]) },
  options: { sleepTimeout: 5_000 },
  onWake: (c) => void woken.push(c.actorId),
  actions: {
    increment: (c, by = 1) => {
      c.state.count += by;
      return c.state.count;
    },
    wait: async (c) => {
      await c.saveState({ immediate: true });
      return "waited";
    },
    remember: (c, key: string, value: string) => c.kv.put(key, value),
    later: (c) => c.schedule.after(60_000, "increment", 5),
    refuse: () => {
      throw new UserError("no", { code: "no_way" });
    },
    break: () => {
      throw new Error("with a secret in it");
    },
  },
});
const greeter = actor({ actions: { hello: () => "hello" } });

async function idOf(driver: AnyDriver, query: string): Promise<string> {
  const { actorId = "" } = await driver.http("POST", `/actor/${query}`, {});
  return actorId;
}
const resolve = (name: string, key: string) => `${name}/resolve?key=${key}`;

test("the list names actors, awake or asleep, in pages, by name and by the beginning of their keys", async () => {
  await using driver = await inspected({ counter, greeter });
  for (const key of ["ann", "anna", "bob"]) await driver.act(`counter?key=${key}`, "increment");
  await driver.act("greeter?key=ann", "hello");
  await driver.runtime.host.sleep(await idOf(driver, resolve("counter", "bob")));

  const all = await look(driver, "/actors");
  const seen = all.body.actors.map((one: { name: string; key: string[]; phase: string }) => [
    one.name,
    ...one.key,
    one.phase,
  ]);
  expect(seen.sort()).toEqual([
    ["counter", "ann", "awake"],
    ["counter", "anna", "awake"],
    ["counter", "bob", "asleep"],
    ["greeter", "ann", "awake"],
  ]);
  expect(all.body.names).toEqual(["counter", "greeter"]);

  const some = await look(driver, "/actors?name=counter&prefix=ann");
  expect(some.body.actors.map((one: { key: string[] }) => one.key.join("/")).sort()).toEqual(["ann", "anna"]);

  const paged: string[] = [];
  for (let after = ""; ; ) {
    const { body } = await look(driver, `/actors?limit=1${after && `&after=${encodeURIComponent(after)}`}`);
    paged.push(...body.actors.map((one: { id: string }) => one.id));
    if (body.next === undefined) break;
    after = body.next;
  }
  expect(new Set(paged).size).toBe(4);
  expect(await look(driver, "/actors?limit=201")).toMatchObject({ status: 400, code: "gateway.bad_request" });
});

test("the list finds one by its whole key, whatever is in it, and those that are awake among many", async () => {
  await using driver = await inspected({ counter });
  const counters = driver.local().counter;
  for (const key of [["ann"], ["anna"], ["a", "b,c"], ["a/b,c"]]) await counters.getOrCreate(key).increment();
  const keys = async (query: string) => {
    const { body } = await look(driver, `/actors?${query}`);
    return body.actors.map((one: { key: string[] }) => one.key);
  };
  expect(await keys("name=counter&key=ann")).toEqual([["ann"]]);
  expect(await keys(`name=counter&key=${encodeKey(["a", "b,c"])}`)).toEqual([["a", "b,c"]]);
  expect(await keys("name=counter&key=an")).toEqual([]);
  expect(await look(driver, "/actors?key=ann")).toMatchObject({ code: "gateway.bad_request" });
  await driver.runtime.host.sleep(await counters.get(["ann"]).resolve());
  expect(await keys("phase=asleep")).toEqual([["ann"]]);
  expect((await keys("phase=awake&limit=2")).length).toBeGreaterThan(0);
  expect(await look(driver, "/actors?phase=dead")).toMatchObject({ code: "gateway.bad_request" });
});

test("one actor: since when it is awake, what it failed with last, and how much it has", async () => {
  await using driver = await inspected({ counter });
  const id = await idOf(driver, resolve("counter", "a"));
  const one = async () => (await look(driver, `/actors/${id}`)).body;
  expect(await one()).toMatchObject({ awakeSince: driver.world.clock.now(), lastError: null });
  await driver.act("counter?key=a", "refuse");
  await driver.act("counter?key=a", "increment");
  const told = { action: "refuse", code: "user.no_way", at: expect.any(Number) };
  expect(await one()).toMatchObject({ lastError: told });
  const { rows, bytes, more } = (await look(driver, `/actors/${id}/size`)).body;
  for (let n = 0; n < 250; n += 1)
    await driver.act("counter?key=a", "remember", `key-${n}`, "x".repeat(1_000));
  const later = (await look(driver, `/actors/${id}/size`)).body;
  expect([more, later]).toEqual([false, { rows: rows + 250, bytes: expect.any(Number), more: false }]);
  expect(later.bytes - bytes).toBeGreaterThan(250_000);
  await driver.runtime.host.sleep(id);
  expect((await look(driver, `/actors/${id}/size`)).body).toEqual(later);
  expect(await one()).toMatchObject({ phase: "asleep", awakeSince: null, lastError: told });
});

test("state, keys and schedules are the same of an actor awake and asleep, and looking wakes nobody", async () => {
  await using driver = await inspected({ counter });
  const id = await idOf(driver, resolve("counter", "a"));
  await driver.act("counter?key=a", "increment", 7);
  await driver.act("counter?key=a", "remember", "k1", "v1");
  await driver.act("counter?key=a", "remember", "k2", "x".repeat(2_000));
  await driver.act("counter?key=a", "later");
  const everything = async () => ({
    state: (await look(driver, `/actors/${id}/state`)).body,
    kv: (await look(driver, `/actors/${id}/kv`)).body,
    second: (await look(driver, `/actors/${id}/kv?limit=1&prefix=k`)).body,
    schedules: (await look(driver, `/actors/${id}/schedules`)).body,
  });
  const awake = await everything();
  expect(awake.state).toEqual({ state: { count: 7, tags: ["$Map", [["a", 1]]] } });
  expect(awake.kv.entries).toMatchObject([
    { key: { text: "k1" }, value: { text: "v1" }, bytes: 2, cut: false },
    { key: { text: "k2" }, bytes: 2_000, cut: true },
  ]);
  expect(awake.second).toMatchObject({ entries: [{ key: { text: "k1" } }], next: "6b31" });
  expect(awake.schedules.schedules).toMatchObject([{ action: "increment", arguments: 1 }]);

  await driver.runtime.host.sleep(id);
  const wakes = woken.length;
  expect(await everything()).toEqual(awake);
  expect((await look(driver, `/actors/${id}`)).body).toMatchObject({ phase: "asleep", key: ["a"] });
  expect(driver.runtime.host.size).toBe(0);
  expect(woken.length).toBe(wakes);
  // And it wakes as before.
  expect((await driver.act("counter?key=a", "increment")).output).toBe(8);
});

test("a call that comes while a sleeping actor is looked at waits for the reader, and is answered", async () => {
  await using driver = await inspected({ counter });
  const id = await idOf(driver, resolve("counter", "a"));
  await driver.act("counter?key=a", "increment");
  await driver.runtime.host.sleep(id);
  const [seen, called] = await Promise.all([
    look(driver, `/actors/${id}/state`),
    driver.act("counter?key=a", "increment"),
  ]);
  expect(seen.status).toBe(200);
  expect([1, 2]).toContain(seen.body.state.count);
  expect(called.output).toBe(2);
});

test("nobody is shown what isn't on disk: the inspector waits with the actor's own callers", async () => {
  await using driver = await inspected({ counter });
  const id = await idOf(driver, resolve("counter", "a"));
  await driver.act("counter?key=a", "increment");
  driver.syncs.hold();
  const called = watch(driver.act("counter?key=a", "increment"));
  await driver.world.idle();
  const seen = watch(look(driver, `/actors/${id}/state`));
  const overview = watch(look(driver, `/actors/${id}`));
  await driver.world.idle();
  expect([called.state, seen.state, overview.state]).toEqual(["pending", "pending", "pending"]);
  driver.syncs.letGo();
  await driver.world.until(() => seen.state === "resolved" && overview.state === "resolved");
  expect(seen.value?.body.state.count).toBe(2);
});

test("recent calls have times and codes, never arguments, results or texts; the oldest go first", async () => {
  await using driver = await inspected({ counter });
  const id = await idOf(driver, resolve("counter", "a"));
  await driver.act("counter?key=a", "increment", 4711);
  await driver.act("counter?key=a", "refuse");
  await driver.act("counter?key=a", "break");
  await driver.act("counter?key=a", "wait");
  const { body } = await look(driver, `/actors/${id}/calls`);
  expect(body.calls.map((call: { action: string; outcome: string }) => [call.action, call.outcome])).toEqual([
    ["wait", "ok"],
    ["break", "internal.error"],
    ["refuse", "user.no_way"],
    ["increment", "ok"],
  ]);
  expect(body.calls[0]).toMatchObject({ queueMs: 0, runMs: expect.any(Number), gateMs: 0, storageMs: 0 });
  expect(JSON.stringify(body)).not.toMatch(/4711|secret/);

  for (let n = 0; n < 130; n += 1) await driver.act("counter?key=a", "increment");
  const later = await look(driver, `/actors/${id}/calls`);
  expect(later.body.calls).toHaveLength(128);
  expect(later.body.calls.every((call: { action: string }) => call.action === "increment")).toBe(true);
});

test("what a call waited at the gate is told apart from what its code took", async () => {
  await using driver = await inspected({ counter });
  const id = await idOf(driver, resolve("counter", "a"));
  await driver.act("counter?key=a", "increment");
  driver.syncs.hold();
  const called = watch(driver.act("counter?key=a", "increment"));
  await driver.world.idle();
  driver.world.skip(40);
  driver.syncs.letGo();
  await driver.world.until(() => called.state === "resolved");
  const { body } = await look(driver, `/actors/${id}/calls`);
  expect(body.calls[0]).toMatchObject({
    action: "increment",
    runMs: 0,
    gateMs: 40,
    storageMs: 40,
    outcome: "ok",
  });
});

test("connections show what they listen to, and of their parameters nothing but names and types", async () => {
  await using driver = await inspected({ counter });
  const id = await idOf(driver, resolve("counter", "a"));
  const socket = driver.socket("/actor/counter/connect?key=a");
  socket.hello({ params: { token: "hunter2", user: { name: "ann", age: 7 }, list: [1, 2] } });
  socket.subscribe(1, "changed");
  await driver.world.until(() => socket.story.includes("subscribed 1"));
  const { body } = await look(driver, `/actors/${id}/connections`);
  expect(body.connections).toMatchObject([
    {
      encoding: "json",
      params: {
        token: "<string>",
        user: { name: "<string>", age: "<number>" },
        list: "<array of 2>",
      },
      subscriptions: ["changed"],
    },
  ]);
  expect(JSON.stringify(body)).not.toMatch(/hunter2|ann/);
  const one = await look(driver, `/actors/${id}`);
  expect(one.body).toMatchObject({
    phase: "running",
    // It hibernates: it keeps nobody awake.
    awakeReasons: [],
    connections: 1,
  });
  expect(one.body.options).toMatchObject({ actionTimeout: 60_000 });
});

test("jobs stand among the schedules by what runs next, and a call that failed says so by its code", async () => {
  const planner = actor({
    actions: {
      plan: async (c) => {
        await c.schedule.after(100, "fail", "a secret");
        await c.cron.every({ name: "tick", interval: 10_000, action: "tick" });
      },
      tick: () => {},
      fail: () => {
        throw new UserError("no", { code: "no_way" });
      },
    },
  });
  await using driver = await inspected({ planner });
  const id = await idOf(driver, resolve("planner", "a"));
  await driver.act("planner?key=a", "plan");
  await driver.world.pass(200);
  const { body } = await look(driver, `/actors/${id}/schedules`);
  expect(body.schedules).toMatchObject([
    { kind: "at", action: "fail", arguments: 1, failed: "user.no_way" },
    { kind: "every", name: "tick", action: "tick", arguments: 0 },
  ]);
  expect(JSON.stringify(body)).not.toContain("secret");
});

test("messages that wait are listed with their queue and size, and a send is a call of its own kind", async () => {
  const mailbox = actor({ queues: { letters: queue<string>() }, actions: {} });
  await using driver = await inspected({ mailbox });
  const box = driver.local().mailbox.getOrCreate("a");
  for (const text of ["a secret", "another"]) await box.send("letters", text);
  const id = await box.resolve();
  const { body } = await look(driver, `/actors/${id}/queues?limit=1`);
  expect(body.messages).toMatchObject([{ id: 1, queue: "letters", attempts: 0, bytes: expect.any(Number) }]);
  const rest = await look(driver, `/actors/${id}/queues?after=${encodeURIComponent(body.next)}`);
  expect(rest.body.messages).toMatchObject([{ id: 2, queue: "letters" }]);
  expect(JSON.stringify([body, rest.body])).not.toMatch(/secret/);
  expect((await look(driver, `/actors/${id}/dead-letters`)).body).toEqual({ letters: [] });
  const { calls } = (await look(driver, `/actors/${id}/calls`)).body;
  expect(calls[0]).toMatchObject({ kind: "send", action: "letters", outcome: "ok" });
});

test("what isn't there is refused by code", async () => {
  await using driver = await inspected({ counter });
  const id = await idOf(driver, resolve("counter", "a"));
  for (const [path, code] of [
    ["/actors/nobody", "actor.not_found"],
    ["/actors/nobody/state", "actor.not_found"],
    ["/actors/nobody/calls", "actor.not_found"],
    [`/actors/${id}/secrets`, "inspector.unknown_section"],
    [`/actors/${id}/schema`, "inspector.no_database"],
    ["/elsewhere", "gateway.not_found"],
    [`/actors/${id}/%ff`, "gateway.bad_request"],
  ] as const)
    expect([path, (await look(driver, path)).code]).toEqual([path, code]);
  await driver.runtime.host.destroy(id);
  expect((await look(driver, `/actors/${id}/state`)).code).toBe("actor.not_found");
  expect((await look(driver, "/metrics")).body).toContain("troupe_actors_awake 0");
});

test("plugins of the program are shown as they say that they are; without any there are none", async () => {
  await using plain = await inspected({ greeter });
  expect((await look(plain, "/plugins")).body).toEqual({ plugins: [] });
  const error = { code: "plugin.worker_exited", message: "it ended with code 9" };
  const counts = { calls: 7, failures: 1, crashes: 1, restarts: 0 };
  const view = {
    id: "acme",
    version: "1.0.0",
    carrier: "worker",
    state: "degraded",
    ...counts,
    error,
  } as const;
  const plugins = {
    start: async () => {},
    stop: async () => {},
    failure: () => undefined,
    view: () => [view],
  };
  await using driver = await inspected({ greeter }, { plugins });
  expect((await look(driver, "/plugins")).body).toEqual({ plugins: [view] });
  expect((await look(driver, "/plugins/acme")).code).toBe("gateway.not_found");
});
