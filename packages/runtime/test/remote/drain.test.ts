/** Hosts that are to go: their actors go on elsewhere, and no call fails for it. */
import { limits } from "@troupe/protocol";
import { actor } from "@troupe/runtime";
import { expect, test } from "vitest";
import { remoteActor } from "../../src/remote/remote-actor.ts";
import { Driver } from "../driver/driver.ts";
import { watch } from "../driver/watch.ts";
import { startHost } from "./host.ts";

/** An actor that says which host it runs on. */
function program(version: string) {
  const counter = actor({
    state: { count: 0 },
    actions: {
      increment: (c, by: number) => {
        c.state.count += by;
        return `${version} ${c.state.count}`;
      },
      held: async (c) => {
        await gate.promise;
        c.state.count += 1;
        return `${version} ${c.state.count}`;
      },
    },
  });
  const worker = actor({
    state: { ranOn: "" },
    run: async (c) => {
      c.state.ranOn += version;
      await new Promise((resolve) => c.abortSignal.addEventListener("abort", resolve));
    },
    actions: { ranOn: (c) => c.state.ranOn },
  });
  return { counter, worker };
}

let gate = Promise.withResolvers<void>();

async function engine() {
  gate = Promise.withResolvers<void>();
  const use = { counter: remoteActor(), worker: remoteActor() };
  const driver = await Driver.start(use, { hostToken: "secret" });
  const hosts = () => driver.runtime.hosts;
  const host = (name: string, options: { programVersion?: number; serverless?: boolean } = {}) =>
    startHost({ world: driver.world, hosts, use: program(name), ...options });
  return { driver, hosts, host };
}

test("a host that wants to stop: its actors go on elsewhere, what runs ends there, and no call fails", async () => {
  const { driver, host } = await engine();
  await using _ = driver;
  const first = host("a");
  await driver.world.idle();
  const socket = driver.socket("/actor/counter/connect?key=k0").hello();
  await driver.world.idle();
  for (let index = 0; index < 200; index += 1)
    expect(await driver.act("counter", `increment?key=k${index}`, 1)).toMatchObject({ output: "a 1" });
  const held = watch(driver.act("counter", "held?key=k0"));
  const second = host("b");
  await driver.world.idle();
  const stopped = watch(first.client.drain(10_000));
  const calls = Array.from({ length: 199 }, (_, index) =>
    watch(driver.act("counter", `increment?key=k${index + 1}`, 1)),
  );
  await driver.world.idle();
  const waits = watch(driver.act("counter", "increment?key=k0", 1));
  await driver.world.idle();
  // Its action is let go on to its end; whoever calls meanwhile waits for the next activation.
  expect([held.state, waits.state, first.client.size]).toEqual(["pending", "pending", 1]);
  gate.resolve();
  await driver.world.until(() => stopped.state !== "pending");
  await driver.world.idle();
  expect([held.value, waits.value]).toMatchObject([{ output: "a 2" }, { output: "b 3" }]);
  const outputs = calls.map(({ value }) => String(value?.output));
  expect(outputs.filter((output) => !/^[ab] 2$/.test(output))).toEqual([]);
  expect([first.client.size, second.client.size > 0]).toEqual([0, true]);
  socket.action(1, "increment", 1);
  await driver.world.idle();
  expect(socket.story).toEqual(["welcome", 'reply 1 "b 4"']);
});

test("a host that comes has its share of a pool that is spread, without a failed call; one that runs something else takes none", async () => {
  const driver = await Driver.start(
    { counter: remoteActor() },
    { hosts: { token: "secret", spread: ["default"] } },
  );
  await using _ = driver;
  const hosts = () => driver.runtime.hosts;
  const { world } = driver;
  const { counter } = program("a");
  const programVersion = 1;
  const first = startHost({ world, hosts, use: { counter }, programVersion });
  await world.idle();
  const all = (): Promise<unknown[]> =>
    Promise.all(
      Array.from(
        { length: 30 },
        async (_, index) => (await driver.act("counter", `increment?key=k${index}`, 1)).output,
      ),
    );
  expect(await all()).toEqual(new Array(30).fill("a 1"));
  startHost({ world, hosts, use: { counter } });
  startHost({ world, hosts, use: program("c") });
  await world.idle();
  expect(first.client.size).toBe(30);
  const [later, other] = [program("b"), program("d")].map(({ counter: one }) =>
    startHost({ world, hosts, use: { counter: one }, programVersion }),
  );
  const calls = watch(all());
  await world.until(() => calls.state !== "pending");
  await world.idle();
  expect((await all()).map((output) => String(output).slice(1))).toEqual(new Array(30).fill(" 3"));
  for (const host of [first, later, other]) expect(host?.client.size).toBeGreaterThanOrEqual(8);
});

test("an actor that works on its own goes on elsewhere before anybody calls it", async () => {
  const { driver, hosts, host } = await engine();
  await using _ = driver;
  host("a");
  await driver.world.idle();
  expect(await driver.act("worker", "ranOn")).toMatchObject({ output: "a" });
  const next = host("b");
  await driver.world.idle();
  const [first] = hosts().list();
  await hosts().drain({ hostId: first?.hostId ?? "" });
  await driver.world.idle();
  expect(next.client.size).toBe(1);
  expect(await driver.act("worker", "ranOn")).toMatchObject({ output: "ab" });
});

test("what doesn't leave in time is lost with its host, and callers are told what is known", async () => {
  const { driver, hosts, host } = await engine();
  await using _ = driver;
  const first = host("a");
  await driver.world.idle();
  const held = watch(driver.act("counter", "held"));
  await driver.world.idle();
  const drained = watch(hosts().drain({ pool: "default" }, 5_000));
  await driver.world.pass(4_900);
  expect([held.state, drained.state, hosts().list()[0]?.state]).toEqual(["pending", "pending", "draining"]);
  await driver.world.pass(200);
  expect([held.value, drained.state]).toMatchObject([{ code: "host.lost" }, "resolved"]);
  first.client.close();
});

test("versions side by side: new actors go to the newest, old hosts are drained on request, and a bad one is rolled back", async () => {
  const { driver, hosts, host } = await engine();
  await using _ = driver;
  host("v1", { programVersion: 1 });
  await driver.world.idle();
  expect(await driver.act("counter", "increment?key=old", 1)).toMatchObject({ output: "v1 1" });
  const v2 = host("v2", { programVersion: 2 });
  await driver.world.idle();
  expect(await driver.act("counter", "increment?key=new", 1)).toMatchObject({ output: "v2 1" });
  expect(await driver.act("counter", "increment?key=old", 1)).toMatchObject({ output: "v1 2" });
  hosts().withdraw("default", 2);
  await hosts().drain({ programVersion: 2 });
  await v2.client.over;
  expect(await driver.act("counter", "increment?key=new", 1)).toMatchObject({ output: "v1 2" });
  // A host of the bad version that comes again gets nothing.
  host("v2", { programVersion: 2 });
  await driver.world.idle();
  expect(await driver.act("counter", "increment?key=newer", 1)).toMatchObject({ output: "v1 1" });
  hosts().restore("default", 2);
  await hosts().drain({ olderThan: 2 });
  expect(await driver.act("counter", "increment?key=old", 1)).toMatchObject({ output: "v2 3" });
  expect(
    hosts()
      .list()
      .map(({ programVersion }) => programVersion),
  ).toEqual([2]);
});

test("S3.8 where a server stopped its actors are starting, where a serverless host did they are allocating, each with its own time", async () => {
  const { driver, hosts, host } = await engine();
  await using _ = driver;
  for (const [serverless, state, waitMs] of [
    [false, "starting", limits.hostWaitMs],
    [true, "allocating", limits.hostAllocateMs],
  ] as const) {
    const { client } = host("a", { serverless });
    await driver.world.idle();
    expect(await driver.act("counter", "increment", 1)).toMatchObject({ status: 200 });
    await client.drain(1_000);
    const call = watch(driver.act("counter", "increment", 1));
    await driver.world.pass(waitMs - 100);
    expect(hosts().waiting()).toEqual([{ pool: "default", name: "counter", state }]);
    expect(call.state).toBe("pending");
    await driver.world.pass(200);
    expect(call.value).toMatchObject({
      code: "host.none_available",
      error: { retryable: true, metadata: { state } },
    });
    expect(hosts().waiting()).toEqual([]);
  }
});
