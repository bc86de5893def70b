/** What becomes of calls on a connection whose server is down: nobody waits for ever. */
import { expect, test } from "vitest";
import { clientErrors } from "../src/errors.ts";
import { stage } from "./support/room.ts";
import { settled, watch } from "./support/world.ts";

test("a call that no link has taken in time was surely not sent, says why, and is never sent later", async () => {
  const { world, gateway, client } = stage();
  const conn = client.room.get("a").connect();
  const early = watch(conn.act());
  const refused = clientErrors.notSent("there");
  await gateway.refuseDial(refused);
  await world.pass(20_000);
  const late = watch(conn.say("late"));
  const message = watch(conn.send("jobs", 1));
  await world.pass(9_999);
  expect(early.state).toBe("pending");
  await world.pass(1);
  expect(early).toMatchObject({
    code: "client.not_sent",
    error: { retryable: true, message: 'Action "act" waited 30000 ms for its connection; nothing was sent' },
  });
  expect(early.error).toHaveProperty("cause", refused);
  // Each has its own time.
  expect([late.state, message.state]).toEqual(["pending", "pending"]);
  await world.pass(19_999);
  expect(late.state).toBe("pending");
  await world.pass(1);
  expect([late.code, message.code]).toEqual(["client.not_sent", "client.not_sent"]);
  expect((await gateway.accept()).told).toEqual([]);
});

test("one that a link took in time is answered however long that takes, and leaves no timer", async () => {
  const { world, gateway, client } = stage();
  const conn = client.room.get("a").connect();
  const call = watch(conn.act());
  await gateway.refuseDial(clientErrors.notSent("there"));
  await world.pass(250);
  const link = await gateway.accept();
  for (let minutes = 0; minutes < 2; minutes += 0.5) {
    await world.pass(30_000);
    await link.say({ kind: "pong" });
  }
  await link.say({ kind: "reply", id: link.idOf("act"), output: 1 });
  expect(call.value).toBe(1);
  expect(world.pendingTimers).toBe(1);
});

test("what went out once and waits to go again is unknown when no link comes, with a time of its own from then on", async () => {
  const { world, gateway, client } = stage();
  const conn = client.room.get("a").connect();
  const link = await gateway.accept();
  const keyed = watch(conn.action({ name: "pay", idempotencyKey: "k1" }));
  const message = watch(conn.send("jobs", 1, { wait: true }));
  await settled();
  await world.pass(29_000);
  await link.say({ kind: "pong" });
  await link.drop();
  await world.pass(29_999);
  expect([keyed.state, message.state]).toEqual(["pending", "pending"]);
  await world.pass(1);
  expect([keyed.code, message.code]).toEqual(["client.outcome_unknown", "client.outcome_unknown"]);
});

test("sendTimeoutMs says how long; a call with a time of its own waits for that one, and Infinity for ever", async () => {
  const { world, client } = stage({ reconnect: { sendTimeoutMs: 100 } });
  const conn = client.room.get("a").connect();
  const calls = [watch(conn.act()), watch(conn.action({ name: "act", timeoutMs: 400 }))];
  const stop = new AbortController();
  calls.push(watch(conn.action({ name: "act", timeoutMs: 400, signal: stop.signal })));
  await world.pass(100);
  expect(calls.map(({ code }) => code)).toEqual(["client.not_sent", undefined, undefined]);
  stop.abort();
  await world.pass(300);
  expect(calls.map(({ code }) => code)).toEqual([
    "client.not_sent",
    "client.deadline_exceeded",
    "client.aborted",
  ]);

  const patient = stage({ reconnect: { sendTimeoutMs: Infinity } });
  const call = watch(patient.client.room.get("a").connect().act());
  await patient.world.pass(3_600_000);
  expect(call.state).toBe("pending");
  expect((await patient.gateway.accept()).told).toEqual(["act act"]);
});

test("actionTimeoutMs is for every action of handles and connections that names no time", async () => {
  const { world, gateway, client } = stage({ actionTimeoutMs: 1_000 });
  const handle = client.room.get("a");
  const conn = handle.connect();
  const link = await gateway.accept();
  const quick = handle.connect(undefined, { actionTimeoutMs: 10 });
  const calls = [
    watch(conn.act()),
    watch(handle.act()),
    watch(quick.act()),
    watch(conn.action({ name: "say", timeoutMs: Infinity })),
    watch(handle.action({ name: "say", timeoutMs: 2_000 })),
  ];
  await settled();
  expect(link.frames).toMatchObject([{ timeoutMs: 1_000 }, { name: "say" }]);
  expect(link.frames[1]).not.toHaveProperty("timeoutMs");
  expect(gateway.calls.map(({ options }) => options.timeoutMs)).toEqual([1_000, 2_000]);
  await world.pass(10);
  expect(calls[2]).toMatchObject({
    code: "client.deadline_exceeded",
    error: { metadata: { outcome: "not_sent", timeoutMs: 10 } },
  });
  await world.pass(990);
  expect(calls.map(({ code }) => code)).toEqual([
    ...["client.deadline_exceeded", "client.deadline_exceeded", "client.deadline_exceeded"],
    ...[undefined, undefined],
  ]);
  expect(calls[0]?.error).toMatchObject({ metadata: { outcome: "unknown" } });
});

test("a time that is none is refused where the client is made", () => {
  expect(() => stage({ actionTimeoutMs: -1 })).toThrow("timeoutMs");
  expect(() => stage({ actionTimeoutMs: Infinity })).not.toThrow();
});
