/** How often an actor may be called: by all together, by each caller, on each connection. */
import { limits } from "@troupe/protocol";
import { actor, queue } from "@troupe/runtime";
import { expect, test } from "vitest";
import { Limiter } from "../../src/rate-limit/limiter.ts";
import { Driver } from "../driver/driver.ts";
import { RawClient } from "../driver/raw-client.ts";
import { codeOf, rejection, watch } from "../driver/watch.ts";

const second = (calls: number, burst = calls) => ({ calls, perMs: 1_000, burst });

const busy = actor({
  options: { rateLimit: { actor: second(2) } },
  state: { calls: 0 },
  queues: { jobs: queue<string>() },
  onRequest: () => new Response("here"),
  onWebSocket: (_c, socket) => socket.addEventListener("message", (event) => socket.send(event.data)),
  actions: {
    act: (c) => (c.state.calls += 1),
    actSoon: (c) => Promise.all([1, 2, 3, 4].map(() => c.schedule.after(500, "act"))),
  },
});

const fair = actor({
  options: { rateLimit: { caller: second(2) } },
  actions: { act: () => "done" },
});

const chatty = actor({
  options: { rateLimit: { connection: second(2) } },
  state: { heard: [] as unknown[] },
  queues: { jobs: queue<string>() },
  onWebSocket: (c, socket) =>
    socket.addEventListener("message", (event) => void c.state.heard.push(event.data)),
  actions: { act: () => "done", heard: (c) => c.state.heard },
});

/** One that says nothing of limits. */
const free = actor({
  state: { calls: 0 },
  actions: {
    act: (c) => (c.state.calls += 1),
    callFair: (c) => c.client().getOrCreate("fair").action({ name: "act" }),
  },
});

const use = { busy, fair, chatty, free };

function socketTo(driver: Pick<Driver<never>, "world" | "runtime">, url: string): RawClient {
  return new RawClient(driver.world, driver.runtime.gateway, url);
}

/** A client that tries once. */
const once = { retry: { deadlineMs: 0 } } as const;

test("a call too many is refused with the time to wait, runs nothing, and is taken behind it", async () => {
  await using driver = await Driver.start(use);
  await driver.act("busy", "act");
  await driver.act("busy", "act");
  const refused = await driver.act("busy", "act");
  expect(refused).toMatchObject({
    status: 429,
    code: "actor.rate_limited",
    headers: { "retry-after": "1" },
    error: { retryable: true, metadata: { limit: "actor", retryAfterMs: 500 } },
  });
  await driver.world.pass(500);
  expect((await driver.act("busy", "act")).output).toBe(3);
  expect((await driver.act("busy", "act")).code).toBe("actor.rate_limited");
});

test("the client waits as long as it was told, and tries again; one whose time is shorter fails at once", async () => {
  await using driver = await Driver.start(use);
  const handle = driver.client().getOrCreate("busy");
  await handle.action({ name: "act" });
  await handle.action({ name: "act" });
  const third = watch(handle.action({ name: "act" }));
  await driver.world.pass(499);
  expect(third.state).toBe("pending");
  await driver.world.pass(2);
  expect(third).toMatchObject({ state: "resolved", value: 3 });

  const hasty = driver.client({ retry: { deadlineMs: 100 } }).getOrCreate("busy");
  expect(await rejection(hasty.action({ name: "act" }))).toBe("actor.rate_limited");
});

test("everything that comes from outside counts: messages, connections, requests, sockets", async () => {
  await using driver = await Driver.start(use);
  const client = driver.client(once);
  const ways: Record<string, () => Promise<unknown>> = {
    send: () => client.getOrCreate("busy", "send").send("jobs", "one"),
    connect: () => client.getOrCreate("busy", "connect").connect().ready,
    inside: () => driver.local().getOrCreate("busy", "inside").action({ name: "act" }),
    request: () => client.getOrCreate("busy", "request").fetch("/"),
    socket: async () => {
      socketTo(driver, "/actor/busy/websocket?troupe-key=socket");
      await driver.world.idle();
    },
  };
  for (const [key, again] of Object.entries(ways)) {
    await again();
    await again();
    expect((await driver.act(`busy?key=${key}`, "act")).code, key).toBe("actor.rate_limited");
  }
  const refused = await client.getOrCreate("busy", "request").fetch("/");
  expect([refused.status, refused.headers.get("retry-after")]).toEqual([429, "1"]);
  const third = socketTo(driver, "/actor/busy/websocket?troupe-key=socket");
  await driver.world.idle();
  expect(third.closed).toMatchObject({ reason: "actor.rate_limited" });
  expect(await rejection(client.getOrCreate("busy", "send").send("jobs", "three"))).toBe(
    "actor.rate_limited",
  );
});

test("what an actor calls by itself isn't counted", async () => {
  await using driver = await Driver.start(use);
  await driver.act("busy", "actSoon");
  await driver.world.pass(500);
  expect((await driver.act("busy", "act")).output).toBe(5);
});

test("each caller has a bucket: by parameters, whatever way it comes; other actors by their ids", async () => {
  await using driver = await Driver.start(use);
  const as = (name: string) => driver.client(once).getOrCreate("fair", [], { params: { name } });
  await as("ann").action({ name: "act" });
  const connection = as("ann").connect();
  await connection.ready;
  expect(await rejection(connection.action({ name: "act" }))).toBe("actor.rate_limited");
  expect(await rejection(as("ann").action({ name: "act" }))).toBe("actor.rate_limited");
  expect(await as("bo").action({ name: "act" })).toBe("done");

  const actors = ["a", "b"].map((key) => driver.client(once).getOrCreate("free", key));
  for (const handle of actors) {
    for (let n = 0; n < 2; n += 1) expect(await handle.action({ name: "callFair" })).toBe("done");
  }
});

test("a connection that says too much is told; others, and calls without one, go on", async () => {
  await using driver = await Driver.start(use);
  const handle = driver.client().getOrCreate("chatty");
  const [loud, quiet] = [handle.connect(), handle.connect()];
  await loud.action({ name: "act" });
  await loud.send("jobs", "one");
  const refused = loud.action({ name: "act" });
  await expect(refused).rejects.toMatchObject({ code: "rate_limited", metadata: { limit: "connection" } });
  expect(await quiet.action({ name: "act" })).toBe("done");
  for (let n = 0; n < 5; n += 1) expect((await driver.act("chatty", "act")).output).toBe("done");
  await driver.world.pass(1_000);
  expect(await loud.action({ name: "act" })).toBe("done");
});

test("a raw socket that says too much is closed with 1008 and the code; what it had said was heard", async () => {
  await using driver = await Driver.start(use);
  const client = socketTo(driver, "/actor/chatty/websocket").say("one", "two", "three", "four");
  await driver.world.idle();
  expect(client.closed).toEqual({ code: 1008, reason: "actor.rate_limited" });
  expect((await driver.act("chatty", "heard")).output).toEqual(["one", "two"]);
});

test("the registry's limits are for actors that have none of their own, part by part", async () => {
  await using driver = await Driver.start(use, { rateLimit: { actor: second(1), caller: second(3) } });
  await driver.act("free", "act");
  expect((await driver.act("free", "act")).error?.metadata).toMatchObject({ limit: "actor" });
  // Its own limit of all calls, and the registry's of each caller.
  await driver.act("busy", "act");
  await driver.act("busy", "act");
  expect((await driver.act("busy", "act")).error?.metadata).toMatchObject({ limit: "actor" });
});

test("an actor that slept begins with full buckets", async () => {
  await using driver = await Driver.start(use);
  await driver.act("busy", "act");
  await driver.act("busy", "act");
  const id = await driver.local().getOrCreate("busy").resolve();
  await driver.runtime.host.sleep(id);
  expect((await driver.act("busy", "act")).output).toBe(3);
});

test("so many callers are known; of more the one that was away longest is forgotten", () => {
  let now = 0;
  const env = { clock: { monotonic: () => now, now: () => now } };
  const limiter = new Limiter(env, { caller: { calls: 1, perMs: 1e9 } });
  const calls = (n: number) => limiter.refusesClient(n) === undefined;
  for (let n = 0; n < limits.rateLimitedCallers; n += 1) expect(calls(n)).toBe(true);
  expect(calls(1)).toBe(false);
  expect(calls(0)).toBe(false);
  expect(calls(limits.rateLimitedCallers)).toBe(true);
  // Two was away longest.
  expect([calls(0), calls(1), calls(2)]).toEqual([false, false, true]);
  now = 1e9;
  expect(calls(0)).toBe(true);
});

test.each([
  ["a limit that isn't one", { actr: second(1) }, "config.unknown_option"],
  ["a number", 5, "config.invalid_option"],
  ["calls without a time", { actor: { calls: 5 } }, "config.invalid_option"],
  ["no calls at all", { actor: { calls: 0, perMs: 1 } }, "config.invalid_option"],
  ["a time without end", { caller: { calls: 1, perMs: Infinity } }, "config.invalid_option"],
  ["a bucket that never holds a token", { actor: { ...second(1), burst: 0.5 } }, "config.invalid_option"],
  ["a misspelt field", { actor: { ...second(1), bursts: 5 } }, "config.unknown_option"],
])("%s is refused when the actor is defined", (_what, rateLimit, code) => {
  let thrown: unknown;
  try {
    Reflect.apply(actor, undefined, [{ options: { rateLimit }, actions: {} }]);
  } catch (error) {
    thrown = error;
  }
  expect(codeOf(thrown)).toBe(code);
});

test("who calls may be said by some of the parameters: a new nonce makes nobody a new caller, and no more of them are known than may be", async () => {
  const known = actor({
    options: { rateLimit: { caller: { ...second(2), by: ["user", "org"] } } },
    types: {} as { connParams: { user?: string; org?: string; nonce?: number } },
    actions: { act: () => "done" },
  });
  await using driver = await Driver.start({ known });
  let nonce = 0;
  const act = (params: { user?: string; org?: string }) => {
    nonce += 1;
    const handle = driver.client(once).getOrCreate("known", "a", { params: { ...params, nonce } });
    return rejectionOr(handle.action({ name: "act", args: [] }));
  };
  const ann = { user: "ann", org: "x" };
  expect([await act(ann), await act(ann), await act(ann)]).toEqual(["done", "done", "actor.rate_limited"]);
  // Another user, and the same name elsewhere, are others.
  expect([await act({ user: "bo", org: "x" }), await act({ user: "ann", org: "y" })]).toEqual([
    "done",
    "done",
  ]);
  // Who says nothing is one with all who don't.
  expect([await act({}), await act({}), await act({})]).toEqual(["done", "done", "actor.rate_limited"]);
});

test("callers by some parameters are bounded in number, as all are", () => {
  const world = { clock: { now: () => 0, monotonic: () => 0 } };
  const limiter = new Limiter(world, { caller: { calls: 1, perMs: 1_000, burst: 1, by: ["user"] } });
  const refused = (user: number) => limiter.refusesClient({ user, nonce: Math.PI }) !== undefined;
  expect([refused(0), refused(0)]).toEqual([false, true]);
  for (let user = 1; user <= limits.rateLimitedCallers; user += 1) refused(user);
  // The one that was away longest is forgotten, to its favour.
  expect([refused(0), refused(limits.rateLimitedCallers)]).toEqual([false, true]);
});

test("names of parameters that are none are refused when the actor is defined", () => {
  const define = (by: unknown) => () =>
    Reflect.apply(actor, undefined, [
      { options: { rateLimit: { caller: { ...second(1), by } } }, actions: {} },
    ]);
  for (const by of [[], "user", [""], [1], Array.from({ length: 17 }, (_, index) => `p${index}`)])
    expect(define(by)).toThrow(/rateLimit\.caller\.by/);
  expect(define(["user"])).not.toThrow();
});

async function rejectionOr(work: Promise<unknown>): Promise<unknown> {
  try {
    return await work;
  } catch (error) {
    return codeOf(error);
  }
}
