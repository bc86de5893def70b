import { TroupeError } from "@troupe/base";
import { limits } from "@troupe/protocol";
import { LogLevel } from "@troupe/protocol/actor/v1";
import type { HostFrame } from "@troupe/protocol/plugin/v1";
import { expect, test } from "vitest";
import { Ear, openScripted, ready, type ScriptedCarrier } from "../support/scripted-carrier.ts";
import { settled, World, watch } from "../support/world.ts";

const guard = { kind: 2, name: "guard", payload: { tool: "rm" } } as const;

test("instances share the session by number: each hears its own, in order", async () => {
  const { session, carrier } = await openScripted(new World());
  const actor = session.actor("counter");
  const [one, other] = [new Ear(), new Ear()];
  const line = actor.connect(one);
  actor.connect(other);
  line.send({ $case: "cancel", value: { call: 7 } });
  expect(carrier.sent.at(-1)).toEqual({
    body: { $case: "actor", value: { instance: 1, body: { $case: "cancel", value: { call: 7 } } } },
  });
  carrier.sayOf(1, { $case: "started", value: { error: undefined, alarmAt: 0 } });
  carrier.sayOf(2, { $case: "rest", value: { idle: true } });
  carrier.sayOf(1, { $case: "stopped", value: { connections: [], sockets: [] } });
  expect(one.said).toEqual(["started", "stopped"]);
  expect(other.said).toEqual(["rest"]);
});

test("what is said to or by a closed line is dropped; a number that was never given ends the session", async () => {
  const { session, carrier } = await openScripted(new World());
  const [ear, other] = [new Ear(), new Ear()];
  const line = session.actor("counter").connect(ear);
  session.actor("counter").connect(other);
  line.close();
  const before = carrier.sent.length;
  line.send({ $case: "cancel", value: { call: 1 } });
  expect(carrier.sent).toHaveLength(before);
  carrier.sayOf(1, { $case: "stopped", value: { connections: [], sockets: [] } });
  expect(ear.said).toEqual([]);
  expect(session.open).toBe(true);
  carrier.sayOf(3, { $case: "stopped", value: { connections: [], sockets: [] } });
  expect(session.open).toBe(false);
  expect(other.lostWith).toBe("plugin.violation");
  expect(ear.lostWith).toBeUndefined();
  expect(carrier.closes).toBe(1);
});

test("an ear that can't use what it hears loses its own line and no other", async () => {
  const { session, carrier } = await openScripted(new World());
  const [broken, fine] = [new Ear(), new Ear()];
  session.actor("counter").connect(broken);
  session.actor("counter").connect(fine);
  broken.failing = true;
  carrier.sayOf(1, { $case: "stopped", value: { connections: [], sockets: [] } });
  carrier.sayOf(2, { $case: "stopped", value: { connections: [], sockets: [] } });
  expect(broken.lostWith).toBe("plugin.violation");
  expect(fine.said).toEqual(["stopped"]);
  expect(session.open).toBe(true);
});

test("a start or a call that is longer than a frame fails by itself, for good", async () => {
  const { session, carrier } = await openScripted(new World());
  const [large, small] = [new Ear(), new Ear()];
  const line = session.actor("counter").connect(large);
  session.actor("counter").connect(small);
  const before = carrier.sent.length;
  const none = new Uint8Array(0);
  const value = new Uint8Array(limits.pluginFrameBytes);
  const row = { space: 1, key: "x", blobKey: none, value, deleted: false } as const;
  const start = {
    name: "c",
    key: [],
    actorId: "",
    generation: 1,
    createdAt: 0,
    isNew: false,
    actor: "counter",
    moreRows: false,
  };
  line.send({ $case: "start", value: { ...start, input: none, rows: [row] } });
  const call = { call: 3, action: "increment", args: value, connection: 0, params: none, timeoutMs: 0 };
  const terms = { send: undefined, idempotencyKey: "", caller: "", chain: [], depth: 0, trace: "" };
  line.send({ $case: "call", value: { ...call, ...terms } });
  await settled();
  const error = { group: "plugin", code: "frame_too_long", retryable: false };
  expect(large.heardLast("started")).toMatchObject({ error });
  expect(large.heardLast("reply")).toMatchObject({ call: 3, error });
  expect([large.lostWith, small.lostWith, session.open]).toEqual([undefined, undefined, true]);
  expect(carrier.sent).toHaveLength(before);
});

test("middleware is called with what is left of the time and its scope, and answers or fails with its own error", async () => {
  const world = new World();
  const { session, carrier } = await openScripted(world);
  const call = watch(session.invoke({ ...guard, options: { timeoutMs: 49.5, scope: "00-aa" } }));
  const failing = watch(session.invoke(guard));
  expect(invokes(carrier)).toEqual([
    { invoke: 1, kind: 2, name: "guard", payload: '{"tool":"rm"}', timeoutMs: 50, scope: "00-aa" },
    { invoke: 2, kind: 2, name: "guard", payload: '{"tool":"rm"}', timeoutMs: 60_000, scope: "" },
  ]);
  carrier.answer(2, {
    error: new TroupeError("guard", "forbidden", "not that one", { metadata: { tool: "rm" } }),
  });
  carrier.answer(1, { payload: '{"allow":true}' });
  await settled();
  expect(call.value).toEqual({ allow: true });
  expect(failing.error).toMatchObject({ group: "guard", code: "forbidden", metadata: { tool: "rm" } });
  expect(world.pendingTimers).toBe(0);
});

test("a call that takes too long, or is aborted, is cancelled there; its late answer is dropped, and so is a double one", async () => {
  const world = new World();
  const { session, carrier } = await openScripted(world);
  const abort = new AbortController();
  const slow = watch(session.invoke({ ...guard, options: { timeoutMs: 50 } }));
  const given = watch(session.invoke({ ...guard, options: { signal: abort.signal } }));
  const third = watch(session.invoke(guard));
  abort.abort(new Error("enough"));
  await world.pass(50);
  expect(slow.code).toBe("plugin.call_timed_out");
  expect(given.code).toBe("plugin.call_aborted");
  expect(cancelled(carrier)).toEqual([2, 1]);
  carrier.answer(1, { payload: "1" });
  carrier.answer(2, { payload: "2" });
  carrier.answer(3, { payload: "3" });
  carrier.answer(3, { payload: "4" });
  await settled();
  expect(third.value).toBe(3);
  expect(session.open).toBe(true);
  const late = watch(session.invoke({ ...guard, options: { signal: abort.signal } }));
  await settled();
  expect(late.code).toBe("plugin.call_aborted");
  expect(invokes(carrier)).toHaveLength(3);
});

test("an answer to a call that was never made ends the session, and so does a second Ready", async () => {
  const first = await openScripted(new World());
  first.carrier.answer(1, { payload: "1" });
  expect(first.session.open).toBe(false);
  const second = await openScripted(new World());
  second.carrier.say(ready());
  await expect(second.session.ended).resolves.toMatchObject({ code: "violation" });
});

test("next of a call that is over gets an error and runs nothing; of one that was never made it ends the session", async () => {
  const { session, carrier } = await openScripted(new World());
  let ran = 0;
  const around = { next: () => Promise.resolve(++ran), stream: false };
  const call = session.invoke({ ...guard, options: { around } });
  const payload = new TextEncoder().encode("1");
  carrier.say({ $case: "next", value: { invoke: 1, next: 1, payload } });
  await settled();
  carrier.answer(1, { payload: "2" });
  expect([await call, ran]).toEqual([2, 1]);
  carrier.say({ $case: "next", value: { invoke: 1, next: 2, payload } });
  await settled();
  const last = carrier.sent.at(-1)?.body;
  expect(last).toMatchObject({ $case: "nextResult", value: { next: 2, error: { code: "next_revoked" } } });
  expect([ran, session.open]).toEqual([1, true]);
  carrier.say({ $case: "next", value: { invoke: 9, next: 1, payload } });
  await expect(session.ended).resolves.toMatchObject({ code: "violation" });
});

test("more calls of next at once than the limit, and a chunk that nobody asked for, end the session", async () => {
  const flooding = await openScripted(new World());
  const around = { next: () => new Promise(() => {}), stream: false };
  const flooded = watch(flooding.session.invoke({ ...guard, options: { around } }));
  const payload = new TextEncoder().encode("1");
  for (let next = 1; next <= limits.pluginNexts; next += 1)
    flooding.carrier.say({ $case: "next", value: { invoke: 1, next, payload } });
  expect(flooding.session.open).toBe(true);
  flooding.carrier.say({ $case: "next", value: { invoke: 1, next: limits.pluginNexts + 1, payload } });
  await expect(flooding.session.ended).resolves.toMatchObject({ code: "violation" });
  expect(flooded.code).toBe("plugin.violation");
  const streaming = await openScripted(new World());
  const answer = streaming.session.invoke({ ...guard, options: { around: { ...around, stream: true } } });
  streaming.carrier.say({
    $case: "invokeResult",
    value: { invoke: 1, payload: new Uint8Array(0), error: undefined, stream: true },
  });
  const chunks = (await answer) as AsyncIterable<unknown>;
  streaming.carrier.say({ $case: "chunk", value: { invoke: 1, next: 0, payload } });
  await expect(streaming.session.ended).resolves.toMatchObject({ code: "violation" });
  await expect(chunks[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code: "violation" });
});

test("calls past the limit are refused and may be repeated; middleware that wasn't declared can't be called", async () => {
  const { session, carrier } = await openScripted(new World());
  for (let at = 0; at < limits.pluginCalls; at += 1) watch(session.invoke(guard));
  await expect(session.invoke(guard)).rejects.toMatchObject({ code: "too_many_calls", retryable: true });
  await expect(session.invoke({ ...guard, kind: 3 })).rejects.toMatchObject({ code: "undeclared" });
  expect(invokes(carrier)).toHaveLength(limits.pluginCalls);
});

test("when the plugin is gone every line is lost and every call rejected, with the real cause", async () => {
  const world = new World();
  const { session, carrier } = await openScripted(world);
  const ear = new Ear();
  session.actor("counter").connect(ear);
  const call = watch(session.invoke(guard));
  const cause = new TroupeError("plugin", "crashed", "signal 11");
  carrier.crash(cause);
  await settled();
  expect(ear.lostWith).toBe("plugin.crashed");
  expect(call.error).toBe(cause);
  await expect(session.ended).resolves.toBe(cause);
  await expect(session.invoke(guard)).rejects.toBe(cause);
  const late = new Ear();
  session.actor("counter").connect(late);
  expect(late.lostWith).toBe("plugin.crashed");
  expect(session.actor("counter").open).toBe(false);
  expect(session.instances).toBe(0);
});

test("a plugin that ends by itself, without a word why, has ended", async () => {
  const { session, carrier } = await openScripted(new World());
  carrier.crash(undefined);
  await expect(session.ended).resolves.toMatchObject({ group: "plugin", code: "ended" });
});

test("close says Goodbye, ends what runs, and tells whether anything stayed", async () => {
  const { session, carrier } = await openScripted(new World());
  const ear = new Ear();
  session.actor("counter").connect(ear);
  const call = watch(session.invoke(guard));
  const closing = session.close();
  expect(carrier.kinds.at(-1)).toBe("goodbye");
  expect(session.close()).toBe(closing);
  carrier.closed(false);
  await expect(closing).resolves.toEqual({ clean: false });
  await expect(session.ended).resolves.toBeUndefined();
  expect(ear.lostWith).toBe("plugin.closed");
  expect(call.code).toBe("plugin.closed");
  expect(carrier.closes).toBe(1);
});

test("a carrier that doesn't keep its time to close isn't waited for", async () => {
  const world = new World();
  const { session } = await openScripted(world);
  const closing = watch(session.close());
  await world.pass(limits.pluginCloseTimeoutMs);
  expect(closing.state).toBe("pending");
  await world.pass(limits.pluginCloseGraceMs);
  expect(closing.value).toEqual({ clean: false });
});

test("frames of a kind that nobody knows yet are dropped, and said once", async () => {
  const world = new World();
  const { session, carrier } = await openScripted(world);
  carrier.sayNothing();
  carrier.sayNothing();
  carrier.say({ $case: "pong", value: { number: 9 } });
  expect(session.open).toBe(true);
  expect(world.lines).toHaveLength(1);
});

test("lines past a second's are counted, and told as one when the second or the session is over", async () => {
  const world = new World();
  const { session, carrier } = await openScripted(world);
  const flood = (): void => {
    for (let n = 0; n < limits.pluginLogLinesPerSecond + 744; n += 1)
      carrier.say({ $case: "log", value: { line: { level: LogLevel.DEBUG, message: "x" } } });
  };
  flood();
  expect(world.lines).toHaveLength(limits.pluginLogLinesPerSecond);
  await world.pass(1_000);
  expect(world.lines.at(-1)).toBe("warn 744 lines dropped: it logs too much");
  const before = world.lines.length;
  flood();
  carrier.crash(undefined);
  expect(world.lines.slice(before + limits.pluginLogLinesPerSecond)).toContain(
    "warn 744 lines dropped: it logs too much",
  );
  await session.ended;
  expect(world.pendingTimers).toBeLessThanOrEqual(1);
});

function invokes(carrier: ScriptedCarrier): unknown[] {
  return carrier.sent.flatMap(({ body }: HostFrame) =>
    body?.$case === "invoke"
      ? [{ ...body.value, payload: new TextDecoder().decode(body.value.payload) }]
      : [],
  );
}

function cancelled(carrier: ScriptedCarrier): number[] {
  return carrier.sent.flatMap(({ body }: HostFrame) =>
    body?.$case === "cancelInvoke" ? [body.value.invoke] : [],
  );
}
