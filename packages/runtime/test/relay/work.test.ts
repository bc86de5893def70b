/** Schedules, messages of queues and `run` under a relay: whose they are, over sleep and crash. */
import { actor } from "@troupe/runtime";
import { expect, test } from "vitest";
import { Driver } from "../driver/driver.ts";
import { watch } from "../driver/watch.ts";
import { Listener } from "./listener.ts";

const clock = actor({
  state: { rang: 0 },
  actions: {
    plan: async (c) => await c.schedule.after(60_000, "ring"),
    ring: (c) => {
      c.state.rang += 1;
    },
    rang: (c) => c.state.rang,
    never: () => expect.unreachable(),
    planNothing: async (c) => await c.schedule.after(1_000, "throwNothing"),
    throwNothing: async () => await Promise.reject(),
    planNever: async (c) => await c.schedule.after(1_000, "never"),
    every: async (c) => await c.cron.every({ name: "tick", interval: 60_000, action: "ring" }),
  },
});

const worker = actor({
  state: { done: [] as string[] },
  queues: { jobs: {} },
  run: async (c) => {
    for await (const message of c.queue.iter()) {
      const { name } = message.body as { name: string };
      await c.tool("work", { name }, () => "done");
      c.state.done.push(`${name} in ${c.scope.name}`);
    }
  },
  actions: {
    send: async (c, name: string) => void (await c.queue.send("jobs", { name })),
    done: (c) => c.snapshot().done,
  },
});

test("S5.6 (in part) a scheduled call is below the one that planned it, also behind a crash; its end waits for the disk", async () => {
  const listener = new Listener();
  await using driver = await Driver.start({ clock }, { relay: listener.relay });
  await driver.act("clock", "plan");
  const plan = await listener.start("clock.plan");
  await driver.crash();
  await driver.world.pass(60_000);
  expect((await driver.act("clock", "rang")).output).toBe(1);
  const ring = await listener.start("clock.ring");
  expect(ring).toMatchObject({ parent_uuid: plan.uuid, metadata: { "troupe.kind": "schedule" } });
  expect((await listener.end("clock.ring")).metadata).toMatchObject({ "otel.status_code": "OK" });
});

test("a scheduled call whose commit fails has an end that says so, and is made again", async () => {
  const listener = new Listener();
  await using driver = await Driver.start({ clock }, { relay: listener.relay });
  await driver.act("clock", "plan");
  driver.syncs.failWrites(1);
  await driver.world.pass(60_000);
  await driver.world.pass(60_000);
  const ends = (await listener.story()).filter((line) => line.startsWith("end clock.ring"));
  expect(ends).toEqual(["end clock.ring storage.commit_failed", "end clock.ring"]);
});

test("a scheduled call that throws nothing at all has failed, and its end says so", async () => {
  const listener = new Listener();
  await using driver = await Driver.start({ clock }, { relay: listener.relay });
  await driver.act("clock", "planNothing");
  await driver.world.pass(2_000);
  expect((await listener.end("clock.throwNothing")).metadata).toMatchObject({ "otel.status_code": "ERROR" });
});

test("recurring calls belong to nothing but themselves", async () => {
  const listener = new Listener();
  await using driver = await Driver.start({ clock }, { relay: listener.relay });
  await driver.act("clock", "every");
  await driver.world.pass(120_000);
  const rings = listener.events.filter(({ name }) => name === "clock.ring");
  expect(rings.length).toBeGreaterThan(1);
  expect(new Set(rings.map(({ parent_uuid }) => parent_uuid))).toEqual(new Set([null]));
});

test("a guardrail refuses a scheduled action as any other: it fails, and doesn't run", async () => {
  const listener = new Listener();
  await using driver = await Driver.start({ clock }, { relay: listener.relay });
  listener.relay.registerActionConditionalExecutionGuardrail("no", ({ action }) =>
    action === "never" ? "never" : null,
  );
  await driver.act("clock", "planNever");
  await driver.world.pass(1_000);
  const story = await listener.story();
  expect(story).toContain("mark clock.never");
  expect(story).not.toContain("start clock.never");
});

test("S5.6 (in part) a message is below what sent it; its handler's tools are below the message; run is its own", async () => {
  const listener = new Listener();
  await using driver = await Driver.start({ worker }, { relay: listener.relay });
  await driver.act("worker", "send", "a");
  await driver.world.idle();
  const sent = await listener.start("worker.send");
  const message = await listener.start("worker.jobs");
  expect(message).toMatchObject({ parent_uuid: sent.uuid, metadata: { "troupe.kind": "message" } });
  expect(message.metadata?.["troupe.queue_wait_ms"]).toEqual(expect.any(Number));
  expect((await listener.start("work")).parent_uuid).toBe(message.uuid);
  expect((await listener.start("worker.run")).parent_uuid).toBeNull();
  expect((await driver.act("worker", "done")).output).toEqual(["a in worker.jobs"]);
  expect((await listener.end("worker.jobs")).metadata).toMatchObject({ "otel.status_code": "OK" });
});

test("S5.6 (in part) a message from outside is below its sending, and a crash doesn't take that from it", async () => {
  const listener = new Listener();
  await using driver = await Driver.start({ worker }, { relay: listener.relay });
  listener.relay.registerToolExecutionIntercept("hangs", () => new Promise(() => {}));
  await driver.client().getOrCreate("worker").send("jobs", { name: "b" });
  await driver.world.idle();
  const [sent] = listener.events.filter(({ metadata }) => metadata?.["troupe.kind"] === "send");
  await driver.crash();
  listener.relay.deregisterToolExecutionIntercept("hangs");
  await driver.act("worker", "done");
  await driver.world.idle();
  expect((await driver.act("worker", "done")).output).toEqual(["b in worker.jobs"]);
  await listener.story();
  const deliveries = listener.events.filter(
    (event) =>
      event.kind === "scope" &&
      event.scope_category === "start" &&
      event.metadata?.["troupe.kind"] === "message",
  );
  expect(deliveries.map(({ parent_uuid }) => parent_uuid)).toEqual([sent?.uuid, sent?.uuid]);
});

test("an actor that sleeps in the middle of a message leaves an end for it", async () => {
  const listener = new Listener();
  await using driver = await Driver.start({ worker }, { relay: listener.relay });
  listener.relay.registerToolExecutionIntercept("hangs", () => new Promise(() => {}));
  await driver.act("worker", "send", "c");
  await driver.world.idle();
  await Promise.all([driver.restart(), driver.world.pass(120_000)]);
  const story = await listener.story();
  expect(story.filter((line) => line.startsWith("end worker.jobs"))).toHaveLength(1);
  expect(story.find((line) => line.startsWith("end worker.jobs"))).toMatch(/actor\.stopped|queue\./);
});

const hooked = actor({
  state: { n: 0 },
  onConnect: () => {},
  onSleep: () => {},
  onStateChange: () => {},
  onRequest: (c) => {
    c.state.n += 1;
    return new Response(
      c.scope.name === "hooked.onRequest" || c.scope.name === "remote" ? "fine" : c.scope.name,
    );
  },
  actions: { n: (c) => c.state.n },
});

test("hooks are scopes: those of callers below what goes on, those of the actor's life on their own", async () => {
  const listener = new Listener();
  await using driver = await Driver.start({ hooked }, { relay: listener.relay });
  const parent = listener.relay.pushScope("outside", "agent");
  await listener.relay.withScopeStack(parent, () => driver.act("hooked", "n"));
  const answer = await driver.fetch("/actor/hooked/request/x");
  expect([answer.status, await answer.text()]).toEqual([200, "fine"]);
  await driver.world.idle();
  await driver.restart();
  await listener.story();
  const parents = new Map(
    listener.events.map((event) => [event.name, event.kind === "scope" ? event.parent_uuid : undefined]),
  );
  expect(parents.get("hooked.n")).toBe(parent.uuid);
  expect(parents.has("hooked.onConnect")).toBe(true);
  expect(parents.has("hooked.onStateChange")).toBe(true);
  expect(parents.get("hooked.onRequest")).toBeNull();
  expect(parents.get("hooked.onSleep")).toBeNull();
});

test("what an actor sends to its own queue isn't asked about, and what comes to it from elsewhere is", async () => {
  const { relay } = new Listener();
  const asked: string[] = [];
  relay.registerActionConditionalExecutionGuardrail("notes", ({ action, message }) => {
    asked.push(`${message ? "message" : "action"} ${action}`);
    return message ? "no messages" : null;
  });
  const took: unknown[] = [];
  const taker = actor({
    queues: { jobs: {} },
    run: async (c) => {
      for await (const message of c.queue.iter()) took.push(message.body);
    },
    actions: { send: async (c, body: string) => void (await c.queue.send("jobs", body)) },
  });
  await using driver = await Driver.start({ taker }, { relay });
  await driver.act("taker", "send", "own");
  await driver.world.idle();
  expect([asked, took]).toEqual([["action send"], ["own"]]);
  const sent = watch(driver.client().getOrCreate("taker").send("jobs", "theirs"));
  await driver.world.idle();
  expect(sent.code).toBe("relay.guardrail_rejected");
  expect([asked.at(-1), took]).toEqual(["message jobs", ["own"]]);
});
