/** Actors on remote hosts: the engine keeps every promise, whatever becomes of the host. */
import { limits } from "@troupe/protocol";
import { encodePayload, fromCarriedError, NO_PAYLOAD, Space } from "@troupe/protocol/actor/v1";
import { actor, event } from "@troupe/runtime";
import { expect, test } from "vitest";
import { type MemoryLink, memoryLinks } from "../../src/ports/memory/transport.ts";
import { HostClient } from "../../src/remote/host-client.ts";
import { remoteActor } from "../../src/remote/remote-actor.ts";
import { Driver } from "../driver/driver.ts";
import { rejection, watch } from "../driver/watch.ts";
import { SpokenHost, startHost } from "./host.ts";

const counter = actor({
  state: { count: 0 },
  events: { changed: event<number>() },
  actions: {
    increment: (c, by: number) => {
      c.state.count += by;
      c.broadcast("changed", c.state.count);
      return c.state.count;
    },
  },
});

const use = { counter: remoteActor<typeof counter>() };

async function engine() {
  const driver = await Driver.start(use, { hostToken: "secret" });
  const hosts = () => driver.runtime.hosts;
  const host = (options: { token?: string; pool?: string } = {}) =>
    startHost({ world: driver.world, hosts, use: { counter }, ...options });
  return { driver, hosts, host };
}

test("an actor on a remote host: actions, events, sleep and wake, and what was answered is durable here", async () => {
  const { driver, host } = await engine();
  await using _ = driver;
  const first = host();
  await driver.world.idle();
  await first.client.ready;
  const socket = driver
    .socket("/actor/counter/connect")
    .hello()
    .subscribe(1, "changed")
    .action(2, "increment", 5);
  await driver.world.idle();
  expect(socket.story).toEqual(["welcome", "subscribed 1", "event changed [5]", "reply 2 5"]);
  socket.link.close(1000, "");
  await driver.world.pass(31_000);
  expect(first.client.size).toBe(0);
  await driver.crash();
  startHost({ world: driver.world, hosts: () => driver.runtime.hosts, use: { counter } });
  await driver.world.idle();
  expect(await driver.act("counter", "increment", 1)).toMatchObject({ output: 6 });
});

test("a reply waits at the engine's gate for the engine's disk", async () => {
  const { driver, host } = await engine();
  await using _ = driver;
  host();
  await driver.world.idle();
  await driver.act("counter", "increment", 1);
  driver.syncs.hold();
  const call = watch(driver.act("counter", "increment", 1));
  await driver.world.idle();
  expect(call.state).toBe("pending");
  driver.syncs.letGo();
  await driver.world.idle();
  expect(call.value).toMatchObject({ output: 2 });
});

test("a lost host: the actor answers from another one, and nothing that was answered is lost", async () => {
  const { driver, host } = await engine();
  await using _ = driver;
  const first = host();
  await driver.world.idle();
  expect(await driver.act("counter", "increment", 1)).toMatchObject({ output: 1 });
  first.client.close();
  await driver.world.idle();
  const call = watch(driver.act("counter", "increment", 1));
  await driver.world.idle();
  expect(call.state).toBe("pending");
  host();
  await driver.world.idle();
  expect(call.value).toMatchObject({ output: 2 });
});

test("an activation waits for a host, not for ever", async () => {
  const { driver } = await engine();
  await using _ = driver;
  const call = watch(driver.act("counter", "increment", 1));
  await driver.world.pass(9_000);
  expect(call.state).toBe("pending");
  await driver.world.pass(1_001);
  expect(call.value).toMatchObject({ status: 503, code: "host.none_available", error: { retryable: true } });
});

test("hosts are taken by token, and a pool's actors run on its hosts alone", async () => {
  const { driver, hosts, host } = await engine();
  await using _ = driver;
  const wrong = host({ token: "guess" });
  await driver.world.idle();
  expect(await rejection(wrong.client.ready)).toBe("host.wrong_token");
  await wrong.client.over;
  const other = host({ pool: "gpu" });
  await driver.world.idle();
  expect(hosts().size).toBe(1);
  const call = watch(driver.act("counter", "increment", 1));
  await driver.world.idle();
  expect([call.state, other.client.size]).toEqual(["pending", 0]);
});

test("S3.7 (in part): a host that was given up and speaks again changes nothing, and is told so", async () => {
  const { driver, hosts } = await engine();
  await using _ = driver;
  const zombie = new SpokenHost(driver.world, hosts()).hello();
  await driver.world.idle();
  const call = watch(driver.act("counter", "increment", 1));
  await driver.world.idle();
  zombie.say({ $case: "actor", value: { instance: 1, body: started() } });
  await driver.world.idle();
  // It freezes past the action's time and the engine stops it; by then nobody listens to its old number.
  await driver.world.pass(2_500);
  zombie.say({ $case: "heartbeat", value: { number: 0, received: 0 } });
  driver.takeBatches();
  void driver.runtime.host.destroy(zombieActor(zombie));
  await driver.world.pass(2_000);
  zombie.say({ $case: "heartbeat", value: { number: 0, received: 0 } });
  await driver.world.pass(2_000);
  zombie.say({ $case: "heartbeat", value: { number: 0, received: 0 } });
  for (let beat = 0; beat < 8; beat += 1) {
    await driver.world.pass(2_000);
    zombie.say({ $case: "heartbeat", value: { number: 0, received: 0 } });
    await driver.world.idle();
  }
  driver.takeBatches();
  const value = encodePayload(99, "cbor");
  const row = { space: Space.STATE, key: "count", blobKey: NO_PAYLOAD, value, deleted: false };
  zombie.say({
    $case: "actor",
    value: { instance: 1, body: { $case: "write", value: { rows: [row], alarmChanged: false, alarmAt: 0 } } },
  });
  zombie.say({
    $case: "actor",
    value: { instance: 1, body: { $case: "ask", value: { ask: 7, about: { $case: "barrier", value: {} } } } },
  });
  await driver.world.idle();
  expect(driver.takeBatches()).toEqual([]);
  expect(zombie.told.slice(-2)).toEqual(["1 stop broken", "1 answer"]);
  const answer = zombie.words().at(-1)?.body;
  const error = answer?.$case === "answer" ? answer.value.error : undefined;
  expect(error && fromCarriedError(error, "cbor")).toMatchObject({ group: "storage", code: "fenced" });
  expect(call.state).not.toBe("pending");
});

test("a silent host is given up after three beats, and its actors' callers are told what is known", async () => {
  const { driver, hosts } = await engine();
  await using _ = driver;
  const silent = new SpokenHost(driver.world, hosts()).hello();
  await driver.world.idle();
  const call = watch(driver.act("counter", "increment", 1));
  await driver.world.idle();
  silent.say({ $case: "actor", value: { instance: 1, body: started() } });
  await driver.world.pass(5_000);
  expect(silent.closed).toMatchObject({ reason: "host.silent" });
  expect(call.value).toMatchObject({ status: 502, code: "host.lost", error: { retryable: false } });
});

test("a host whose engine says nothing any more comes again, and what ran there is lost", async () => {
  const { driver, hosts, host } = await engine();
  await using _ = driver;
  const lonely = host();
  await driver.world.idle();
  await driver.act("counter", "increment", 1);
  expect(lonely.client.size).toBe(1);
  // The other end of the wire is gone, and nobody says so.
  lonely.links[0]?.attach({ message: () => {}, closed: () => {} });
  await driver.world.pass(7_000);
  expect([lonely.links.length, lonely.client.size]).toEqual([2, 0]);
  expect(hosts().size).toBe(1);
  expect(await driver.act("counter", "increment", 1)).toMatchObject({ output: 2 });
});

test("an engine that nobody reaches in time, or that takes the link and says nothing, is dialled again", async () => {
  const { driver, hosts } = await engine();
  await using _ = driver;
  const { world } = driver;
  const signals: AbortSignal[] = [];
  const mute: MemoryLink[] = [];
  const client = new HostClient({
    env: world,
    use: { counter },
    token: "secret",
    pool: "default",
    dial: async (signal) => {
      signals.push(signal);
      if (signals.length === 1) return await new Promise<never>(() => {});
      const [near, far] = memoryLinks(world);
      if (signals.length === 2) mute.push(far);
      else hosts().accept(far);
      return near;
    },
  });
  await world.pass(limits.hostDialMs - 1);
  expect([signals.length, signals[0]?.aborted]).toEqual([1, false]);
  await world.pass(1);
  expect(signals[0]?.reason).toMatchObject({ group: "host", code: "engine_timed_out" });
  expect(world.logged("warn", "no connection to the engine; trying again until there is one")).toHaveLength(
    1,
  );
  await world.pass(200);
  expect([signals.length, mute.length]).toEqual([2, 1]);
  const muteEnd = watch(new Promise((resolve) => mute[0]?.attach({ message: () => {}, closed: resolve })));
  await world.pass(limits.hostDialMs + 500);
  expect([signals.length, muteEnd.value]).toEqual([3, 1001]);
  await client.ready;
  expect(await driver.act("counter", "increment", 1)).toMatchObject({ output: 1 });
  // What was taken is left alone, for as long as it speaks.
  await world.pass(2 * limits.hostDialMs);
  expect(signals).toHaveLength(3);
  client.close();
});

test("a host that is closed while it dials gives up its dial, and a link that comes late is closed", async () => {
  const { driver } = await engine();
  await using _ = driver;
  const late = Promise.withResolvers<MemoryLink>();
  const signals: AbortSignal[] = [];
  const client = new HostClient({
    env: driver.world,
    use: { counter },
    token: "secret",
    pool: "default",
    dial: (signal) => {
      signals.push(signal);
      return late.promise;
    },
  });
  client.close();
  expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
  const [near, far] = memoryLinks(driver.world);
  const end = watch(new Promise((resolve) => far.attach({ message: () => {}, closed: resolve })));
  late.resolve(near);
  await driver.world.idle();
  expect(end.value).toBe(1000);
  await driver.world.pass(2 * limits.hostDialMs);
  expect(signals).toHaveLength(1);
});

test("an engine that was away itself gives its hosts time to be heard", async () => {
  const { driver, hosts } = await engine();
  await using _ = driver;
  const host = new SpokenHost(driver.world, hosts()).hello();
  await driver.world.idle();
  // A long turn, or a machine that slept: the clock has gone on, and no timer rang meanwhile.
  driver.world.skip(10_000);
  await driver.world.pass(1);
  expect(host.closed).toBeUndefined();
  await driver.world.pass(5_000);
  expect(host.closed).toMatchObject({ reason: "host.silent" });
});

test.each([
  ["text", (host: SpokenHost) => host.raw("hello"), "protocol.malformed_frame"],
  [
    "bytes that are no message",
    (host: SpokenHost) => host.raw(Uint8Array.of(0xff, 0xff)),
    "protocol.malformed_frame",
  ],
  ["a second Hello", (host: SpokenHost) => host.hello().hello(), "protocol.malformed_frame"],
  ["an actor's words before Hello", (host: SpokenHost) => host.say(early()), "protocol.malformed_frame"],
])("nonsense from a host ends that host alone: %s", async (_what, speak, reason) => {
  const { driver, hosts } = await engine();
  await using _ = driver;
  const bad = new SpokenHost(driver.world, hosts());
  speak(bad);
  await driver.world.idle();
  expect(bad.closed).toMatchObject({ reason });
  startHost({ world: driver.world, hosts, use: { counter } });
  await driver.world.idle();
  expect(await driver.act("counter", "increment", 1)).toMatchObject({ output: 1 });
});

test("a link that says no Hello is closed", async () => {
  const { driver, hosts } = await engine();
  await using _ = driver;
  const mute = new SpokenHost(driver.world, hosts());
  await driver.world.pass(15_001);
  expect(mute.closed).toMatchObject({ reason: "host.no_hello" });
});

test("without a token of its own an engine takes no host", async () => {
  await using driver = await Driver.start(use);
  const host = new SpokenHost(driver.world, driver.runtime.hosts).hello({ token: "" });
  await driver.world.idle();
  expect(host.closed).toMatchObject({ reason: "host.not_enabled" });
});

function started() {
  return { $case: "started" as const, value: { error: undefined, alarmAt: 0 } };
}

function early() {
  return { $case: "actor" as const, value: { instance: 1, body: started() } };
}

function zombieActor(host: SpokenHost): string {
  const start = host.words().find(({ body }) => body?.$case === "start")?.body;
  return start?.$case === "start" ? start.value.actorId : "";
}

test("an actor on a remote host calls actors of the engine and of other hosts; a lost host loses no call that was answered", async () => {
  const caller = actor({
    actions: {
      call: (c, by: number): Promise<unknown> =>
        c
          .client()
          .getOrCreate("counter", [])
          .action({ name: "increment", args: [by] }),
      own: (c, by: number): Promise<unknown> =>
        c
          .client()
          .getOrCreate("own", [])
          .action({ name: "increment", args: [by] }),
    },
  });
  const all = { caller: remoteActor<typeof caller>(), counter: remoteActor<typeof counter>(), own: counter };
  await using driver = await Driver.start(all, { hostToken: "secret" });
  const hosts = () => driver.runtime.hosts;
  const first = startHost({ world: driver.world, hosts, use: { caller } });
  startHost({ world: driver.world, hosts, use: { counter } });
  await driver.world.idle();
  expect(await driver.act("caller", "call", 2)).toMatchObject({ output: 2 });
  expect(await driver.act("caller", "own", 3)).toMatchObject({ output: 3 });
  first.links[0]?.close(1000, "");
  await driver.world.pass(1_000);
  expect(await driver.act("caller", "call", 1)).toMatchObject({ output: 3 });
});

test("raw HTTP and streamed results of a remote actor; a lost host resets the one and ends the other", async () => {
  const server = actor({
    state: { asked: 0 },
    onRequest: async (c, request) => {
      c.state.asked += 1;
      if (request.method === "GET")
        return new Response(new ReadableStream({ pull: () => new Promise(() => {}) }));
      return new Response(`${c.state.asked} ${await request.text()}`);
    },
    actions: {
      count: async function* (_c, to: number) {
        for (let n = 1; n <= to; n += 1) yield n;
      },
    },
  });
  const driver = await Driver.start({ server: remoteActor<typeof server>() }, { hostToken: "secret" });
  await using _ = driver;
  const { links } = startHost({ world: driver.world, hosts: () => driver.runtime.hosts, use: { server } });
  const handle = driver.client().server.getOrCreate("a");
  const large = "x".repeat(300_000);
  expect(await (await handle.fetch("/", { method: "POST", body: large })).text()).toBe(`1 ${large}`);
  const items: number[] = [];
  for await (const item of handle.count(500)) items.push(item);
  expect(items.length).toBe(500);
  const open = await handle.fetch("/");
  const body = watch(open.text());
  const stream = await handle.count(1_000_000);
  await stream.next();
  links[0]?.close(1000, "");
  await driver.world.until(() => body.state !== "pending");
  expect(body.state).toBe("rejected");
  expect(
    await rejection(
      (async () => {
        for await (const _item of stream);
      })(),
    ),
  ).toMatch(/^host\./);
});
