/** Hosts and engines that say nonsense: each is refused by itself, and nobody else notices. */
import { engineLimits, limits } from "@troupe/protocol";
import { encodeBindParams, SqlTurn } from "@troupe/protocol/actor/v1";
import { EngineToHostCodec, HostToEngineCodec } from "@troupe/protocol/host/v1";
import { actor } from "@troupe/runtime";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { ActorSaying } from "../../src/ports/carried.ts";
import { memoryLinks } from "../../src/ports/memory/transport.ts";
import type { Link } from "../../src/ports/transport.ts";
import { HostClient } from "../../src/remote/host-client.ts";
import { remoteActor } from "../../src/remote/remote-actor.ts";
import { Driver } from "../driver/driver.ts";
import { watch } from "../driver/watch.ts";
import { SpokenHost, startHost } from "./host.ts";

const counter = actor({
  state: { count: 0 },
  actions: {
    increment: (c) => {
      c.state.count += 1;
      return c.state.count;
    },
  },
});

async function engine() {
  const use = { counter: remoteActor<typeof counter>() };
  const driver = await Driver.start(use, { hostToken: "secret" });
  const hosts = () => driver.runtime.hosts;
  const good = startHost({ world: driver.world, hosts, use: { counter }, programVersion: 1 });
  await driver.world.idle();
  return { driver, hosts, good };
}

/** Bytes as they are sent, with some of them changed, cut off, or said twice. */
function damaged(frames: readonly Uint8Array[]): fc.Arbitrary<Uint8Array> {
  const changes = fc.array(fc.tuple(fc.nat(200), fc.nat(255)), { maxLength: 6 });
  const mutated = fc.tuple(fc.constantFrom(...frames), changes, fc.nat(300)).map(([frame, at, length]) => {
    const bytes = frame.slice(0, Math.max(1, frame.length - (length % 7)));
    for (const [place, byte] of at) bytes[place % bytes.length] = byte;
    return bytes;
  });
  return fc.oneof(mutated, fc.uint8Array({ maxLength: 60 }));
}

const actorFrames = [
  { $case: "write", value: { rows: [], alarmChanged: true, alarmAt: 5 } },
  { $case: "ask", value: { ask: 1, about: { $case: "barrier", value: {} } } },
  { $case: "rest", value: { idle: true } },
  { $case: "stopped", value: { connections: [], sockets: [] } },
  { $case: "lost", value: { error: undefined } },
] as const;
const fromHost = [
  HostToEngineCodec.encode({ body: { $case: "heartbeat", value: { number: 1, received: 9 } } }),
  HostToEngineCodec.encode({ body: { $case: "acknowledge", value: { received: 4_000_000 } } }),
  ...actorFrames.map((body) =>
    HostToEngineCodec.encode({ body: { $case: "actor", value: { instance: 1, body } } }),
  ),
];
const fromEngine = [
  EngineToHostCodec.encode({ body: { $case: "heartbeat", value: { number: 1, received: 9 } } }),
  EngineToHostCodec.encode({
    body: {
      $case: "actor",
      value: { instance: 1, body: { $case: "cancel", value: { call: 1 } } },
    },
  }),
];

test("whatever bytes a host says, before its Hello and behind it, the engine lives and its other hosts answer", async () => {
  const { driver, hosts, good } = await engine();
  await using _ = driver;
  let calls = 0;
  const story = fc.asyncProperty(
    fc.boolean(),
    fc.array(damaged(fromHost), { minLength: 1, maxLength: 8 }),
    async (hello, messages) => {
      const host = new SpokenHost(driver.world, hosts());
      if (hello) host.hello({ name: "other", resumes: true });
      for (const message of messages) host.raw(message);
      await driver.world.idle();
      calls += 1;
      expect(await driver.act("counter", "increment")).toMatchObject({ output: calls });
    },
  );
  await fc.assert(story, { numRuns: 300 });
  expect([good.links.length, good.client.size]).toEqual([1, 1]);
  // None of those that were taken is there for ever: they never beat.
  await driver.world.pass(10_000);
  expect(hosts().size).toBe(1);
});

test("whatever bytes an engine says, a host lives, and dials again when it is closed", async () => {
  const { driver, hosts } = await engine();
  await using _ = driver;
  const story = fc.asyncProperty(
    fc.array(damaged(fromEngine), { minLength: 1, maxLength: 8 }),
    async (messages) => {
      const [near, far] = memoryLinks(driver.world);
      let dials = 0;
      const client = new HostClient({
        env: driver.world,
        use: { counter },
        token: "secret",
        pool: "fuzzed",
        dial: async () => {
          dials += 1;
          if (dials > 1) throw new Error("connection refused");
          return near;
        },
      });
      far.attach({ message: () => {}, closed: () => {} });
      await driver.world.idle();
      for (const message of messages) far.send(message);
      await driver.world.idle();
      expect(client.size).toBe(0);
      client.close();
      await client.over;
    },
  );
  await fc.assert(story, { numRuns: 300 });
  expect(hosts().size).toBe(1);
});

test("a flood of links that say no Hello, and a Hello that comes twice: each link is closed in time, and calls go on", async () => {
  const { driver, hosts } = await engine();
  await using _ = driver;
  const silent = Array.from({ length: 2_000 }, () => new SpokenHost(driver.world, hosts()));
  const twice = new SpokenHost(driver.world, hosts()).hello({ name: "other" }).hello({ name: "other" });
  const call = watch(driver.act("counter", "increment"));
  await driver.world.idle();
  expect(call.value).toMatchObject({ output: 1 });
  expect(twice.closed).toMatchObject({ reason: "protocol.malformed_frame" });
  // The oldest of them are gone already, so that no flood takes memory for longer than it lasts.
  const waiting = silent.filter(({ closed }) => closed === undefined);
  expect(waiting).toEqual(silent.slice(-waiting.length));
  expect(waiting.length).toBeLessThanOrEqual(engineLimits.hostsOpening);
  expect(silent[0]?.closed).toMatchObject({ reason: "host.too_many_opening" });
  const late = startHost({ world: driver.world, hosts, use: { counter } });
  await driver.world.idle();
  expect(hosts().size).toBe(2);
  late.client.close();
  await driver.world.pass(limits.hostHelloMs + 10);
  expect(silent.filter(({ closed }) => closed === undefined)).toEqual([]);
  expect(hosts().size).toBe(1);
});

test("a host that says that it lives and reads nothing is given up, and its actors answer from another one", async () => {
  const { driver, hosts, good } = await engine();
  await using _ = driver;
  expect(await driver.act("counter", "increment")).toMatchObject({ output: 1 });
  let unread = 0;
  const deaf = startHost({
    world: driver.world,
    hosts: () =>
      Object.assign(Object.create(hosts()), {
        accept: (link: Link) =>
          hosts().accept(Object.defineProperty(link, "bufferedBytes", { get: () => unread })),
      }),
    use: { counter },
    programVersion: 2,
  });
  await driver.world.idle();
  expect(await driver.act("counter", "increment?key=other")).toMatchObject({ output: 1 });
  expect([deaf.client.size, hosts().size]).toEqual([1, 2]);
  unread = engineLimits.hostUnsentBytes + 1;
  const lost = watch(driver.act("counter", "increment?key=other"));
  await driver.world.idle();
  expect(lost.value).toMatchObject({ code: "host.lost" });
  unread = 0;
  deaf.client.close();
  await driver.world.idle();
  expect(await driver.act("counter", "increment?key=other")).toMatchObject({ status: 200 });
  expect(good.client.size).toBe(2);
});

test("a host that never ends a turn with SQL: nothing of it is stored, its callers are told, and the actor goes on elsewhere", async () => {
  const use = { counter: remoteActor<typeof counter>({ database: true }) };
  await using driver = await Driver.start(use, { hostToken: "secret", databases: true });
  const hosts = () => driver.runtime.hosts;
  const hanging = new SpokenHost(driver.world, hosts()).hello();
  await driver.world.idle();
  const says = (body: ActorSaying) => hanging.say({ $case: "actor", value: { instance: 1, body } });
  const sql = (ask: number, text: string, turn: SqlTurn) => {
    const value = { sql: text, params: encodeBindParams([]), transaction: 0, turn };
    says({ $case: "ask", value: { ask, about: { $case: "sqlExecute", value } } });
  };
  const call = watch(driver.act("counter?key=a", "increment"));
  await driver.world.idle();
  says({ $case: "started", value: { error: undefined, alarmAt: 0 } });
  sql(1, "CREATE TABLE t (n)", SqlTurn.HELD);
  sql(2, "INSERT INTO t VALUES (1)", SqlTurn.CONTINUED);
  await driver.world.idle();
  driver.takeBatches();
  for (let second = 0; second < limits.sqlTurnMs; second += 1_000) {
    expect([call.state, driver.takeBatches()]).toEqual(["pending", []]);
    hanging.say({ $case: "heartbeat", value: { number: 0, received: 0 } });
    await driver.world.pass(1_000);
  }
  expect(call.value).toMatchObject({ status: 504, code: "actor.turn_too_long" });
  expect([driver.takeBatches(), hanging.told.at(-1)]).toEqual([[], "1 stop broken"]);
  void hosts().drain({ programVersion: 0 }, 1_000);
  startHost({ world: driver.world, hosts, use: { counter }, programVersion: 1 });
  await driver.world.idle();
  expect(await driver.act("counter?key=a", "increment")).toMatchObject({ output: 1 });
});
