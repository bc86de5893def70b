/** How long a caller waits, and that it waits no longer: over HTTP, on connections, and what the action learns of it. */
import { IDEMPOTENCY_HEADER, limits, TIMEOUT_HEADER } from "@troupe/protocol";
import { actor } from "@troupe/runtime";
import { beforeEach, expect, test } from "vitest";
import { Driver } from "../driver/driver.ts";
import { codeOf, Latch, rejection, watch } from "../driver/watch.ts";

const told: string[] = [];
let gate = new Latch();

beforeEach(() => {
  told.length = 0;
  gate = new Latch();
});

const worker = actor({
  state: { done: 0 },
  options: { actionTimeout: 60_000 },
  actions: {
    /** Works until the test says so, whoever waits. */
    work: async (c) => {
      c.abortSignal.addEventListener("abort", () => told.push(codeOf(c.abortSignal.reason)));
      await gate.promise;
      c.state.done += 1;
      told.push(c.aborted ? "done, for nobody" : "done");
      return c.state.done;
    },
    done: (c) => c.state.done,
  },
});

test("a deadline over HTTP: the caller is told in time, abort fires, and what is written later counts", async () => {
  await using driver = await Driver.start({ worker });
  await using client = driver.client();
  const call = watch(client.worker.getOrCreate().action({ name: "work", timeoutMs: 500 }));
  await driver.world.pass(499);
  expect([call.state, told]).toEqual(["pending", []]);
  await driver.world.pass(1);
  expect(call.error).toMatchObject({
    group: "client",
    code: "deadline_exceeded",
    retryable: false,
    metadata: { outcome: "unknown", timeoutMs: 500 },
  });
  expect(told).toHaveLength(1);
  gate.open();
  await driver.world.idle();
  expect(told.slice(1)).toEqual(["done, for nobody"]);
  expect(await client.worker.getOrCreate().done()).toBe(1);
});

test("a deadline on a connection: the same, and the connection lives on", async () => {
  await using driver = await Driver.start({ worker });
  await using client = driver.client();
  const connection = client.worker.getOrCreate().connect();
  await connection.ready;
  const call = watch(connection.action({ name: "work", timeoutMs: 500 }));
  await driver.world.pass(499);
  expect([call.state, told]).toEqual(["pending", []]);
  await driver.world.pass(1);
  expect(call.code).toBe("client.deadline_exceeded");
  expect(told).toHaveLength(1);
  gate.open();
  await driver.world.idle();
  expect(await connection.done()).toBe(1);
});

test("what is left of the time travels: a server without a client's clock keeps it", async () => {
  await using driver = await Driver.start({ worker });
  const headers = { [TIMEOUT_HEADER]: "250" };
  const call = watch(driver.http("POST", "/actor/worker/action/work", {}, headers));
  await driver.world.pass(249);
  expect(call.state).toBe("pending");
  await driver.world.pass(1);
  expect(call.value).toMatchObject({ status: 504, code: "actor.deadline_exceeded" });
  // Behind actor/v1 the host may say so before the code's own clock does.
  expect(["actor.deadline_exceeded", "actor.aborted"]).toContain(told[0]);
  const over = await driver.http("POST", "/actor/worker/action/done", {}, { [TIMEOUT_HEADER]: "0" });
  expect(over).toMatchObject({ code: "actor.deadline_exceeded", error: { retryable: false } });
});

test("a time that was spent before the call left is not counted again", async () => {
  await using driver = await Driver.start({ worker });
  await using client = driver.client();
  const connection = client.worker.getOrCreate().connect();
  await connection.ready;
  await driver.runtime.host.sleep((await driver.http("POST", "/actor/worker/resolve")).actorId ?? "");
  await driver.world.idle();
  // The connection waits before it comes back: half of its time goes by.
  const call = watch(connection.action({ name: "work", timeoutMs: 1_000 }));
  await driver.world.pass(999);
  expect([call.state, told]).toEqual(["pending", []]);
  await driver.world.pass(1);
  expect(call.code).toBe("client.deadline_exceeded");
  expect(told).toHaveLength(1);
});

test("one that is over before the connection stands was never sent", async () => {
  await using driver = await Driver.start({ worker });
  await using client = driver.client({ reconnect: { openTimeoutMs: 60_000 } });
  const connection = client.worker.getOrCreate().connect();
  const call = watch(connection.action({ name: "work", timeoutMs: 0 }));
  // The socket needs a turn to open; the deadline none.
  driver.world.holdTurns();
  driver.world.skip(1);
  driver.world.resumeTurns();
  await driver.world.pass(1);
  expect(call.code).toBe("client.deadline_exceeded");
  await driver.world.idle();
  gate.open();
  await driver.world.idle();
  expect(await connection.done()).toBe(0);
});

test("a signal cancels: the caller is free at once, the action is told, and its answer comes to nobody", async () => {
  await using driver = await Driver.start({ worker });
  await using client = driver.client();
  const connection = client.worker.getOrCreate().connect();
  for (const target of [client.worker.getOrCreate(), connection]) {
    told.length = 0;
    gate = new Latch();
    const stop = new AbortController();
    const call = watch(target.action({ name: "work", signal: stop.signal }));
    await driver.world.idle();
    stop.abort(new Error("changed my mind"));
    await driver.world.idle();
    expect(call).toMatchObject({ code: "client.aborted", error: { metadata: { outcome: "unknown" } } });
    expect(told).toEqual(["actor.aborted"]);
    gate.open();
    await driver.world.idle();
    expect(told).toEqual(["actor.aborted", "done, for nobody"]);
  }
  expect(await connection.done()).toBe(2);
});

test("a client that disconnects waits no longer; one that is answered before it leaves changes nothing", async () => {
  await using driver = await Driver.start({ worker });
  const client = driver.client();
  const call = watch(client.worker.getOrCreate().work());
  await driver.world.idle();
  await client.dispose();
  await driver.world.idle();
  expect([call.code, told]).toEqual(["client.outcome_unknown", ["actor.aborted"]]);
  gate.open();
  await driver.world.idle();
  expect((await driver.act("worker", "done")).output).toBe(1);
});

test("cancelling what has been answered, or never was, does nothing", async () => {
  await using driver = await Driver.start({ worker });
  const socket = driver.socket("/actor/worker/connect").hello().action(1, "done");
  socket.send({ kind: "cancel", id: 1 }).send({ kind: "cancel", id: 99 }).action(2, "done");
  await driver.world.idle();
  expect(socket.story).toEqual(["welcome", "reply 1 0", "reply 2 0"]);
});

test("the actor's own limit comes first where it is shorter, under its own name", async () => {
  const short = actor({ options: { actionTimeout: 100 }, actions: { hang: () => new Promise(() => {}) } });
  await using driver = await Driver.start({ short });
  await using client = driver.client();
  const call = watch(client.short.getOrCreate().action({ name: "hang", timeoutMs: 5_000 }));
  await driver.world.pass(100);
  expect(call.code).toBe("actor.action_timed_out");
});

test("a call that nobody gave a time or a signal keeps no timer, and the wire is as it was", async () => {
  await using driver = await Driver.start({ worker });
  const socket = driver.socket("/actor/worker/connect").hello().action(0, "done");
  await driver.world.idle();
  const before = driver.world.pendingTimers;
  socket.action(1, "done");
  await driver.world.idle();
  expect(driver.world.pendingTimers).toBe(before);
});

test("times and keys that can't be are refused where they are given, and where they arrive", async () => {
  await using driver = await Driver.start({ worker });
  await using client = driver.client();
  const handle = client.worker.getOrCreate();
  for (const target of [handle, handle.connect()]) {
    for (const wrong of [
      { timeoutMs: -1 },
      { timeoutMs: Number.NaN },
      { idempotencyKey: "" },
      { idempotencyKey: "naïve" },
      { idempotencyKey: "k".repeat(limits.idempotencyKeyLength + 1) },
    ])
      expect(await rejection(target.action({ name: "done", ...wrong }))).toBe("protocol.malformed_call");
    expect(await target.action({ name: "done", timeoutMs: Infinity })).toBe(0);
  }
  for (const headers of [{ [TIMEOUT_HEADER]: "soon" }, { [IDEMPOTENCY_HEADER]: "a b" }])
    expect((await driver.http("POST", "/actor/worker/action/done", {}, headers)).code).toBe(
      "protocol.malformed_call",
    );
});
