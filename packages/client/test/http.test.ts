import { limits } from "@troupe/protocol";
import { expect, test } from "vitest";
import type { ClientConfig } from "../src/config.ts";
import { createClient } from "../src/create-client.ts";
import type { Client } from "../src/types.ts";
import { HeldFetch } from "./support/fetch.ts";
import type { RoomRegistry } from "./support/room.ts";
import { settled, type Watched, World, watch } from "./support/world.ts";

interface HttpStage {
  readonly world: World;
  readonly http: HeldFetch;
  readonly client: Client<RoomRegistry>;
}

function httpStage(config: Omit<ClientConfig, "env"> = {}): HttpStage {
  const http = new HeldFetch();
  const world = Object.assign(new World(), { fetch: http.fetch });
  return { world, http, client: createClient<RoomRegistry>({ ...config, env: world }) };
}

const refusedConnection = { code: "ECONNREFUSED", syscall: "connect" };

test("the requests are those of the protocol", async () => {
  const { http, client } = httpStage({
    endpoint: "https://example.com/base/",
    token: "secret",
    headers: { "x-tenant": "7" },
  });
  const key = ["a,b", "", "c d"];
  void client.room.getOrCreate(key, { createWithInput: { topic: "x" }, params: { token: "t" } }).say("hi");
  void client.room.get().admin.kick("bo");
  void client.room.getForId("id/1").act();
  void client.room.create("k");
  void client.room.get("k").resolve();
  await settled();
  expect(http.requests.map((request) => request.url)).toEqual([
    "https://example.com/base/actor/room/action/say?key=a%2Cb,~,c%20d&method=getOrCreate",
    "https://example.com/base/actor/room/action/admin.kick?method=get",
    "https://example.com/base/actor-id/id%2F1/action/act",
    "https://example.com/base/actor/room/create?key=k",
    "https://example.com/base/actor/room/resolve?key=k&method=get",
  ]);
  expect(http.requests[0]?.body).toEqual({ args: ["hi"], input: { topic: "x" }, params: { token: "t" } });
  expect(http.requests[0]?.init).toMatchObject({
    method: "POST",
    headers: {
      authorization: "Bearer secret",
      "content-type": "application/json",
      "troupe-protocol": "1",
      "x-tenant": "7",
    },
  });
});

test("a port that the platform's fetch blocks is one that nothing was sent to", async () => {
  const client = createClient<RoomRegistry>({ endpoint: "http://127.0.0.1:1", retry: { deadlineMs: 1 } });
  const notSent = { group: "client", code: "not_sent" };
  await expect(client.room.get("a").act()).rejects.toMatchObject(notSent);
  await expect(client.room.getForId("a").fetch("/")).rejects.toMatchObject(notSent);
  await client.dispose();
});

test("a fetch of one's own may well connect there: what it fails with is unknown", async () => {
  const { http, client } = httpStage({ endpoint: "http://127.0.0.1:1", retry: { deadlineMs: 1 } });
  const call = watch(client.room.get("a").act());
  await (await http.request()).fail({ code: "ECONNRESET" });
  expect(call.code).toBe("client.outcome_unknown");
});

test("an answer is the action's result, a failure its error", async () => {
  const { http, client } = httpStage();
  const good = watch(client.room.get("a").act());
  await (await http.request()).answer(200, { output: 5 });
  expect(good.value).toBe(5);
  const none = watch(client.room.get("a").admin.kick("bo"));
  await (await http.request()).answer(200, {});
  expect(none).toMatchObject({ state: "resolved", value: undefined });
  const bad = watch(client.room.get("a").act());
  const error = { group: "user", code: "taken", message: "Taken", metadata: { name: "x" }, retryable: false };
  await (await http.request()).answer(400, { error });
  expect(bad).toMatchObject({ code: "user.taken", error: { message: "Taken", metadata: { name: "x" } } });
  const created = watch(client.room.create("k"));
  await (await http.request()).answer(200, { actorId: "id-1" });
  await expect(created.value?.resolve()).resolves.toBe("id-1");
});

test("calls at once: as many as may be are sent, the others wait in order and were surely not sent", async () => {
  const { http, client } = httpStage();
  const room = client.room.get("a");
  const stop = new AbortController();
  const calls = Array.from({ length: limits.clientCallsAtOnce }, () => watch(room.say("early")));
  const late = ["x", "y", "z"].map((text) =>
    watch(room.action({ name: "say", args: [text], ...(text === "y" ? { signal: stop.signal } : {}) })),
  );
  await settled();
  expect(http.requests).toHaveLength(limits.clientCallsAtOnce);
  stop.abort();
  await settled();
  expect(late[1]).toMatchObject({ code: "client.aborted", error: { metadata: { outcome: "not_sent" } } });
  await http.requests[0]?.answer(200, { output: 1 });
  expect(calls[0]?.value).toBe(1);
  expect(http.requests.slice(limits.clientCallsAtOnce).map(({ body }) => body.args)).toEqual([["x"]]);
  // One that fails gives its slot back as well, also while it waits to be sent again.
  await http.requests[1]?.fail(refusedConnection);
  expect(http.requests.at(-1)?.body.args).toEqual(["z"]);
  expect(calls[1]?.state).toBe("pending");
  await client.dispose();
});

test("a client without a network that refuses them sends any number of calls at once", async () => {
  const world = new World();
  const started: unknown[] = [];
  const action = (_target: unknown, name: unknown): Promise<never> => {
    started.push(name);
    return new Promise(() => {});
  };
  const resolve = (): Promise<string> => Promise.resolve("id");
  const connect = (): Promise<never> => Promise.reject(new Error("none"));
  const client = createClient<RoomRegistry>({
    env: world,
    transport: { action, send: action, resolve, connect },
  });
  for (let n = 0; n < limits.clientCallsAtOnce + 1; n += 1) void watch(client.room.get("a").act());
  await settled();
  expect(started).toHaveLength(limits.clientCallsAtOnce + 1);
  await client.dispose();
});

test("limits: calls that wait for others are bounded", async () => {
  const { http, client } = httpStage();
  const room = client.room.get("a");
  const most = limits.clientCallsAtOnce + limits.clientCallsWaiting;
  for (let n = 0; n < most; n += 1) void room.act().catch(() => {});
  const full = { group: "client", code: "queue_full", metadata: { limit: limits.clientCallsWaiting } };
  await expect(room.act()).rejects.toMatchObject(full);
  await http.requests[0]?.answer(200, { output: 1 });
  const one = watch(room.act());
  await settled();
  expect(one.state).toBe("pending");
  await client.dispose();
});

test("S3.6 (in part): what surely wasn't sent is client.not_sent and is sent again, with backoff", async () => {
  const causes = [
    refusedConnection,
    { code: "ENOTFOUND" },
    { code: "EAI_AGAIN" },
    { code: "UND_ERR_CONNECT_TIMEOUT" },
    { code: "EHOSTUNREACH", syscall: "connect" },
    { name: "AggregateError", cause: refusedConnection },
  ];
  for (const cause of causes) {
    const { world, http, client } = httpStage();
    const call = watch(client.room.get("a").act());
    await (await http.request()).fail(cause);
    expect(http.requests).toHaveLength(1);
    await world.pass(50);
    expect(http.requests).toHaveLength(2);
    await (await http.request()).answer(200, { output: 1 });
    expect(call.value).toBe(1);
  }
});

test("S3.6 (in part): what may have been sent is client.outcome_unknown and is never sent again", async () => {
  const { world, http, client } = httpStage();
  const calls: Watched<number>[] = [];
  const endless: { cause?: object } = {};
  endless.cause = endless;
  for (const cause of [{ code: "ECONNRESET", syscall: "read" }, { code: "UND_ERR_SOCKET" }, {}, endless]) {
    const call = watch(client.room.get("a").act());
    await (await http.request()).fail(cause);
    calls.push(call);
  }
  const broken = watch(client.room.get("a").act());
  await (await http.request()).breakOff();
  const proxy = watch(client.room.get("a").act());
  await (await http.request()).answerRaw(502, "text/html", "<h1>Bad gateway</h1>");
  const garbled = watch(client.room.get("a").act());
  await (await http.request()).answerRaw(200, "application/json", "{");
  for (const call of [...calls, broken, proxy, garbled]) {
    expect(call).toMatchObject({ code: "client.outcome_unknown", error: { retryable: false } });
  }
  await world.pass(60_000);
  expect(http.requests).toHaveLength(7);
});

test("a 4xx that no gateway of ours gave is named as that", async () => {
  const { http, client } = httpStage();
  const call = watch(client.room.get("a").act());
  await (await http.request()).answerRaw(404, "text/plain", "Not found");
  expect(call).toMatchObject({ code: "client.bad_response", error: { metadata: { status: 404 } } });
});

test("an answer that says retryable is asked again until the deadline; then it is the error", async () => {
  const { world, http, client } = httpStage({ retry: { baseMs: 100, maxMs: 200, deadlineMs: 300 } });
  world.chance = 0.99;
  const call = watch(client.room.get("a").act());
  const error = { group: "actor", code: "overloaded", message: "Busy", retryable: true };
  await (await http.request()).answer(503, { error });
  await world.pass(99);
  await (await http.request()).answer(503, { error });
  await world.pass(198);
  await (await http.request()).answer(503, { error });
  expect(call).toMatchObject({ code: "actor.overloaded" });
  expect(http.requests).toHaveLength(3);
  expect(world.pendingTimers).toBe(0);
});

test("the default deadline is 15 s: then client.not_sent, which the caller may repeat", async () => {
  const { world, http, client } = httpStage();
  const start = world.clock.monotonic();
  const call = watch(client.room.get("a").act());
  for (let second = 0; second < 40 && call.state === "pending"; second += 1) {
    await (await http.request()).fail(refusedConnection);
    await world.pass(1_000);
  }
  expect(call).toMatchObject({ code: "client.not_sent", error: { retryable: true } });
  expect(world.clock.monotonic() - start).toBeGreaterThanOrEqual(14_000);
  expect(world.clock.monotonic() - start).toBeLessThanOrEqual(16_000);
});

test("S3.6 (in part): to find an actor is safe to repeat, to create one is not", async () => {
  const { world, http, client } = httpStage();
  const found = watch(client.room.getOrCreate("a").resolve());
  await (await http.request()).fail({ code: "ECONNRESET" });
  await world.pass(50);
  await (await http.request()).answer(200, { actorId: "id-1" });
  expect(found.value).toBe("id-1");
  const created = watch(client.room.create("a"));
  await (await http.request()).fail({ code: "ECONNRESET" });
  expect(created.code).toBe("client.outcome_unknown");
});

test("S3.6 (in part): an aborted call says whether it may have happened", async () => {
  const { world, http, client } = httpStage();
  const fired = AbortSignal.abort("early");
  await expect(client.room.get("a").action({ name: "act", signal: fired })).rejects.toMatchObject({
    code: "aborted",
    metadata: { outcome: "not_sent" },
    cause: "early",
  });
  expect(http.requests).toHaveLength(0);
  const abort = new AbortController();
  const call = watch(client.room.get("a", { signal: abort.signal }).act());
  const request = await http.request();
  abort.abort("late");
  await settled();
  expect(call.error).toMatchObject({ code: "aborted", metadata: { outcome: "unknown" }, cause: "late" });
  expect(request.init.signal?.aborted).toBe(true);
  const again = new AbortController();
  const between = watch(client.room.get("a").action({ name: "act", signal: again.signal }));
  await (await http.request()).fail(refusedConnection);
  again.abort();
  await settled();
  expect(between.error).toMatchObject({ code: "aborted", metadata: { outcome: "not_sent" } });
  await world.pass(60_000);
  expect(http.requests).toHaveLength(2);
  expect(world.pendingTimers).toBe(0);
});

test("S3.6 (in part): dispose ends the wait of every call and refuses later ones", async () => {
  const { world, http, client } = httpStage();
  const sent = watch(client.room.get("a").act());
  await http.request();
  const waiting = watch(client.room.get("a").act());
  await (await http.request()).fail(refusedConnection);
  await client.dispose();
  await settled();
  expect(sent.code).toBe("client.outcome_unknown");
  expect(waiting.code).toBe("client.disposed");
  await expect(client.room.get("a").act()).rejects.toMatchObject({ code: "disposed" });
  expect(world.pendingTimers).toBe(0);
});

test("getParams is asked for each attempt; its failure is the call's", async () => {
  const { world, http, client } = httpStage();
  let asked = 0;
  const getParams = (): { token: string } => {
    asked += 1;
    if (asked === 3) throw new Error("no token");
    return { token: String(asked) };
  };
  const call = watch(client.room.get("a", { getParams }).act());
  await (await http.request()).fail(refusedConnection);
  await world.pass(50);
  expect((await http.request()).body.params).toEqual({ token: "2" });
  await (await http.request()).fail(refusedConnection);
  await world.pass(100);
  expect(call).toMatchObject({ code: "client.params_failed", error: { cause: { message: "no token" } } });
});

test("limits: a body that is too long isn't sent; nor is a value that can't be", async () => {
  const { http, client } = httpStage();
  await expect(client.room.get("a").say("ä".repeat(limits.httpBodyBytes / 2))).rejects.toMatchObject({
    group: "message",
    code: "outgoing_too_long",
    metadata: { limit: limits.httpBodyBytes },
  });
  const cyclic: unknown[] = [];
  cyclic.push(cyclic);
  await expect(client.room.get("a").action({ name: "act", args: cyclic })).rejects.toMatchObject({
    group: "value",
  });
  expect(http.requests).toHaveLength(0);
});
