/** Actions under a relay: their scopes, whose they are, and what events say of a call that the disk fails. */

import { isGuardrailRejected } from "@troupe/relay";
import { actor, setup } from "@troupe/runtime";
import { expect, test } from "vitest";
import { Driver } from "../driver/driver.ts";
import { codeOf, Latch, watch } from "../driver/watch.ts";
import { Listener } from "./listener.ts";

let latch = new Latch();

const counter = actor({
  state: { count: 0 },
  actions: {
    add: (c, by: number) => {
      c.state.count += by;
      return c.state.count;
    },
    fail: (): never => {
      throw new TypeError("boom");
    },
    wait: async () => await latch.promise,
    tool: async (c, name: string) => await c.tool(name, { a: 1 }, ({ a }) => a + 1),
    model: async (c) => {
      const request = { headers: { authorization: "s3cret" }, content: "hi" };
      return await c.llm("gpt", request, ({ content }) => `${String(content)}!`, { modelName: "gpt-9" });
    },
    where: (c) => c.scope.uuid,
    marks: (c) => {
      c.mark("seen", { data: { n: 1 } });
      c.metric("size", [{ name: "bytes", kind: "gauge", valueType: "u64", value: 7 }], {
        metadata: { a: "b" },
      });
    },
    stream: async function* (c) {
      const stream = await c.llmStream("gpt", { headers: {}, content: 2 }, async function* ({ content }) {
        for (let n = 0; n < Number(content); n++) yield n;
      });
      yield* stream;
    },
  },
});

const caller = actor({
  actions: {
    call: async (c, action: string, ...args: unknown[]) =>
      await c.client().getOrCreate("counter").action({ name: action, args }),
  },
});

async function grounded() {
  const listener = new Listener();
  const driver = await Driver.start({ counter, caller }, { relay: listener.relay });
  return { listener, driver, relay: listener.relay };
}

test("marks and metrics of an actor are in what goes on; without a relay there is nobody to tell", async () => {
  const { listener, driver } = await grounded();
  await using _ = driver;
  await driver.act("counter", "marks");
  const { uuid } = await listener.start("counter.marks");
  expect(await listener.mark("seen")).toMatchObject({ parent_uuid: uuid, data: { n: 1 } });
  expect(await listener.mark("size")).toMatchObject({
    ...{ parent_uuid: uuid, metadata: { a: "b" } },
    data: { measurements: [{ name: "bytes", value: 7 }] },
  });
  await using alone = await Driver.start({ counter });
  expect((await alone.act("counter", "marks")).code).toBe("actor.no_relay");
});

test("an action is a scope: its start leaves before the disk has anything, its end with the answer", async () => {
  const { listener, driver } = await grounded();
  await using _ = driver;
  await driver.act("counter", "add", 1);
  await listener.forget();
  driver.syncs.hold();
  const answer = watch(driver.act("counter", "add", 41));
  await driver.world.idle();
  expect([await listener.story(), answer.state]).toEqual([["start counter.add"], "pending"]);
  driver.syncs.letGo();
  await driver.world.idle();
  expect([await listener.story(), answer.value?.output]).toEqual([
    ["start counter.add", "end counter.add"],
    42,
  ]);
  const start = await listener.start("counter.add");
  expect(start).toMatchObject({
    ...{ category: "function", data: null, parent_uuid: null },
    metadata: { "troupe.actor": "counter", "troupe.key": [], "troupe.kind": "action" },
  });
  expect((await listener.end("counter.add")).metadata).toMatchObject({
    "otel.status_code": "OK",
    "troupe.queue_wait_ms": expect.any(Number),
    "troupe.run_ms": expect.any(Number),
    "troupe.gate_wait_ms": expect.any(Number),
    "troupe.storage_ms": expect.any(Number),
  });
  expect((await listener.end("counter.add")).uuid).toBe(start.uuid);
});

test("a commit that fails: the end event says so under the same id, and nothing says that it went well", async () => {
  const { listener, driver } = await grounded();
  await using _ = driver;
  await driver.act("counter", "add", 1);
  await listener.forget();
  driver.syncs.failWrites(1);
  expect((await driver.act("counter", "add", 1)).code).toBe("storage.commit_failed");
  expect(await listener.story()).toEqual(["start counter.add", "end counter.add storage.commit_failed"]);
  expect((await listener.end("counter.add")).uuid).toBe((await listener.start("counter.add")).uuid);
});

test("an actor that wakes is a scope, its hooks are below it, and its first call says how long it took", async () => {
  const listener = new Listener();
  const waking = actor({
    state: { n: 0 },
    onCreate: (c) => void c.log.debug("created"),
    onWake: () => void listener.relay.event("woken"),
    actions: { n: (c) => c.state.n },
  });
  await using driver = await Driver.start({ waking }, { relay: listener.relay });
  await driver.act("waking", "n");
  await driver.act("waking", "n");
  expect(await listener.story()).toEqual([
    ...[
      "start waking.create",
      "start waking.onCreate",
      "end waking.onCreate",
      "start waking.onWake",
      "mark woken",
    ],
    ...[
      "end waking.onWake",
      "end waking.create",
      "start waking.n",
      "end waking.n",
      "start waking.n",
      "end waking.n",
    ],
  ]);
  const { uuid } = await listener.start("waking.create");
  const hook = await listener.start("waking.onWake");
  expect([hook.parent_uuid, (await listener.mark("woken")).parent_uuid]).toEqual([uuid, hook.uuid]);
  const ends = listener.events.filter((event) => event.name === "waking.n" && event.uuid !== undefined);
  expect(ends.map(({ metadata }) => metadata?.["troupe.wake_ms"] !== undefined)).toEqual([
    false,
    true,
    false,
    false,
  ]);
});

test("the time of a wake has that of reading the rows in it, and the wake's own scope says how much of it that was", async () => {
  const listener = new Listener();
  await using driver = await Driver.start({ counter }, { relay: listener.relay });
  await driver.act("counter", "add", 1);
  await driver.restart();
  await listener.forget();
  const disk = new Latch();
  driver.storage.beforeOpen = () => disk.promise;
  const answer = watch(driver.act("counter", "add", 1));
  await driver.world.pass(250);
  disk.open();
  await driver.world.idle();
  expect(answer.value?.output).toBe(2);
  expect((await listener.start("counter.wake")).metadata?.["troupe.load_ms"]).toBe(250);
  expect((await listener.end("counter.add")).metadata?.["troupe.wake_ms"]).toBe(250);
});

test("S5.6 (in part) a call from actor to actor is below the caller's, through tools and models, also when it waits", async () => {
  const { listener, driver } = await grounded();
  await using _ = driver;
  await driver.act("caller", "call", "tool", "hammer");
  const outer = await listener.start("caller.call");
  const inner = await listener.start("counter.tool");
  const tool = await listener.start("hammer");
  expect([outer.parent_uuid, inner.parent_uuid, tool.parent_uuid]).toEqual([null, outer.uuid, inner.uuid]);
  expect((await listener.end("hammer")).data).toBe(2);
  const { output } = await driver.act("caller", "call", "where");
  expect(output).toBe((await listener.start("counter.where")).uuid);
});

test("models are called without secrets in events, and streams run to their end inside of the action", async () => {
  const { listener, driver } = await grounded();
  await using _ = driver;
  expect((await driver.act("counter", "model")).output).toBe("hi!");
  const model = await listener.start("gpt");
  expect(model.parent_uuid).toBe((await listener.start("counter.model")).uuid);
  expect(JSON.stringify(listener.events)).not.toContain("s3cret");
  await listener.forget();
  const items: unknown[] = [];
  const stream = await driver.client().getOrCreate("counter").action({ name: "stream", args: [] });
  for await (const item of stream as AsyncIterable<unknown>) items.push(item);
  expect(items).toEqual([0, 1]);
  expect((await listener.story()).at(-1)).toBe("end counter.stream");
  expect((await listener.start("gpt")).parent_uuid).toBe((await listener.start("counter.stream")).uuid);
  expect((await listener.end("gpt")).metadata).toMatchObject({ "otel.status_code": "OK" });
});

test("S5.9 (in part) a guardrail refuses an action before it runs; its rejection keeps its type over the wire and between actors", async () => {
  const { listener, driver, relay } = await grounded();
  await using _ = driver;
  await driver.act("counter", "add", 1);
  await listener.forget();
  relay.registerActionConditionalExecutionGuardrail("policy", async ({ actor: of, action, args }) => {
    await Promise.resolve();
    return of === "counter" && action === "add" ? `not ${String(args[0])}` : null;
  });
  const refused = await driver.act("counter", "add", 7);
  expect([refused.status, refused.code, refused.error?.metadata]).toEqual([
    403,
    "relay.guardrail_rejected",
    { by: "policy", reason: "not 7" },
  ]);
  const error = await driver
    .client()
    .getOrCreate("counter")
    .action({ name: "add", args: [8] })
    .catch((e: unknown) => e);
  expect(isGuardrailRejected(error)).toBe(true);
  expect((await driver.act("caller", "call", "add", 9)).code).toBe("relay.guardrail_rejected");
  relay.deregisterActionConditionalExecutionGuardrail("policy");
  expect((await driver.act("counter", "add", 1)).output).toBe(2);
  const story = await listener.story();
  expect(story.filter((line) => line === "start counter.add")).toHaveLength(1);
  expect(story).toContain("mark counter.add");
});

test("a tool that a guardrail refuses, and an action that throws, have ends that say so", async () => {
  const { listener, driver, relay } = await grounded();
  await using _ = driver;
  relay.registerToolConditionalExecutionGuardrail("no", () => "no");
  expect((await driver.act("counter", "tool", "axe")).code).toBe("relay.guardrail_rejected");
  expect((await driver.act("counter", "fail")).status).toBe(500);
  expect((await listener.end("counter.tool")).metadata).toMatchObject({
    "error.type": "relay.guardrail_rejected",
  });
  expect((await listener.end("counter.fail")).metadata).toMatchObject({ "otel.status_code": "ERROR" });
});

test("nothing is left open by an actor that stops, or whose client is gone", async () => {
  latch = new Latch();
  const { listener, driver } = await grounded();
  await using _ = driver;
  const socket = driver.socket("/actor/counter/connect").hello();
  await driver.world.idle();
  socket.action(1, "wait");
  await driver.world.idle();
  socket.close();
  await driver.world.idle();
  await Promise.all([driver.restart(), driver.world.pass(60_000)]);
  const story = await listener.story();
  for (const start of story.filter((line) => line.startsWith("start ")))
    expect(story.filter((line) => line.startsWith(start.replace("start", "end")))).toHaveLength(1);
  latch.open();
});

test.each([false, true])(
  "what an action registered in its scope is gone with its answer, or its actor, though nobody listens (guarded: %s)",
  async (guarded) => {
    latch = new Latch();
    const { relay } = new Listener();
    relay.deregisterSubscriber("listener");
    if (guarded) relay.registerActionConditionalExecutionGuardrail("asks", () => null);
    const keeper = actor({
      actions: {
        take: (c) =>
          void relay.registerToolConditionalExecutionGuardrail("took", () => null, { scope: c.scope }),
        keep: async (c) => {
          relay.registerToolConditionalExecutionGuardrail("kept", () => null, { scope: c.scope });
          await latch.promise;
        },
      },
    });
    await using driver = await Driver.start({ keeper }, { relay });
    const names = () => relay.listRuntimeRegistrations().map(({ name }) => name);
    await driver.act("keeper", "take");
    expect(names()).not.toContain("took");
    const socket = driver.socket("/actor/keeper/connect").hello();
    await driver.world.idle();
    socket.action(1, "keep");
    await driver.world.idle();
    expect(names()).toContain("kept");
    await Promise.all([driver.restart(), driver.world.pass(60_000)]);
    expect(names()).toEqual(guarded ? ["asks"] : []);
    latch.open();
  },
);

test("arguments and results are told where the program says so, and nowhere else", async () => {
  const listener = new Listener();
  await using driver = await Driver.start({ counter }, { relay: { on: listener.relay, payloads: true } });
  await driver.act("counter", "add", 3);
  expect((await listener.start("counter.add")).data).toEqual([3]);
  expect((await listener.end("counter.add")).data).toBe(3);
  const quiet = await grounded();
  await using _ = quiet.driver;
  await quiet.driver.act("counter", "add", 12345);
  expect((await quiet.listener.story()).length).toBeGreaterThan(0);
  expect(JSON.stringify(quiet.listener.events)).not.toContain("12345");
});

test("without a relay there is none: c.tool says so, and nothing else is different", async () => {
  await using driver = await Driver.start({ counter });
  expect((await driver.act("counter", "tool", "t")).status).toBe(500);
  expect((await driver.act("counter", "add", 2)).output).toBe(2);
  expect(codeOf(attempt(() => setup({ use: { counter }, relay: {} as never })))).toBe(
    "config.invalid_option",
  );
});

function attempt(fn: () => unknown): unknown {
  try {
    return fn();
  } catch (error) {
    return error;
  }
}
