/** Scopes on their way to where an actor's code runs, and back: over a remote host's link, and over HTTP. */
import { createClient } from "@troupe/client";
import { actor } from "@troupe/runtime";
import { expect, test } from "vitest";
import { remoteActor } from "../../src/remote/remote-actor.ts";
import { Driver } from "../driver/driver.ts";
import { startHost } from "../remote/host.ts";
import { Listener } from "./listener.ts";

const far = actor({
  actions: {
    tool: async (c) =>
      await c.tool(
        "hammer",
        { a: 1 },
        async () => await c.client().getOrCreate("near").action({ name: "here" }),
      ),
    marks: (c) => c.mark("seen"),
    where: (c) => c.scope.uuid,
    onwards: async (c) => await c.client().getOrCreate("near").action({ name: "here" }),
  },
});

const near = actor({
  actions: {
    here: () => "here",
    call: async (c, action: string) => await c.client().getOrCreate("far").action({ name: action }),
  },
  onRequest: () => new Response("there"),
});

async function ground(relay?: Listener["relay"]) {
  const listener = new Listener();
  const use = { near, far: remoteActor<typeof far>() };
  const driver = await Driver.start(use, { hostToken: "secret", relay: listener.relay });
  const hosts = () => driver.runtime.hosts;
  const { client } = startHost({
    world: driver.world,
    hosts,
    use: { far },
    ...(relay === undefined ? {} : { relay }),
  });
  await driver.world.idle();
  await client.ready;
  return { driver, listener };
}

test("S5.6 (in part) a remote host: what its code does is below the engine's scope, and what it calls is below what it does", async () => {
  const there = new Listener();
  const { driver, listener } = await ground(there.relay);
  await using _ = driver;
  expect(await driver.act("near", "call", "tool")).toMatchObject({ output: "here" });
  const outer = await listener.start("near.call");
  const action = await listener.start("far.tool");
  const tool = await there.start("hammer");
  const back = await listener.start("near.here");
  expect([outer.parent_uuid, action.parent_uuid, tool.parent_uuid, back.parent_uuid]).toEqual([
    null,
    outer.uuid,
    action.uuid,
    tool.uuid,
  ]);
  // The trace began in neither parent: both sides say where.
  expect([tool.propagation_root_uuid, back.propagation_root_uuid]).toEqual([outer.uuid, outer.uuid]);
  expect(await there.story()).toEqual(["start hammer", "end hammer"]);
});

test("S5.6 (in part) a host without a relay hands on what it was called in; its own tools say that there is none", async () => {
  const { driver, listener } = await ground();
  await using _ = driver;
  expect(await driver.act("near", "call", "onwards")).toMatchObject({ output: "here" });
  const action = await listener.start("far.onwards");
  expect((await listener.start("near.here")).parent_uuid).toBe(action.uuid);
  expect((await driver.act("near", "call", "tool")).code).toBe("actor.no_relay");
  expect((await driver.act("near", "call", "marks")).code).toBe("actor.no_relay");
  expect((await driver.act("near", "call", "where")).code).toBe("actor.no_relay");
});

const trace = "0af7651916cd43dd8448eb211c80319c";
const traceparent = `00-${trace}-b7ad6b7169203331-01`;
const post = { method: "POST", body: JSON.stringify({ args: [] }) };

test("an action and a raw request over HTTP are below the traceparent that they came with", async () => {
  const { driver, listener } = await ground();
  await using _ = driver;
  const headers = { "content-type": "application/json", traceparent };
  await driver.fetch("/actor/near/action/here", { ...post, headers });
  await driver.fetch("/actor/near/request/x", { headers: { traceparent } });
  await driver.world.idle();
  for (const name of ["near.here", "near.onRequest"]) {
    const scope = await listener.start(name);
    expect(scope.parent_uuid).toBe("00000000-0000-0000-b7ad-6b7169203331");
    expect(scope.propagation_root_uuid?.replaceAll("-", "")).toBe(trace);
  }
});

test("a traceparent that isn't one is as none", async () => {
  const { driver, listener } = await ground();
  await using _ = driver;
  const bad = [
    ...[
      "",
      "00",
      "hello",
      traceparent.toUpperCase(),
      `${traceparent}-more`,
      traceparent.replace("00-", "ff-"),
    ],
    ...[traceparent.replace(trace, "0".repeat(32)), `00-${trace}-${"0".repeat(16)}-01`, "x".repeat(10_000)],
  ];
  for (const wrong of bad) {
    await listener.forget();
    const headers = { "content-type": "application/json", traceparent: wrong };
    expect((await driver.fetch("/actor/near/action/here", { ...post, headers })).status).toBe(200);
    expect((await listener.start("near.here")).parent_uuid).toBeNull();
  }
});

test("a client sends what goes on where it is called, and nothing when that is nothing", async () => {
  const { driver, listener } = await ground();
  await using _ = driver;
  const { relay } = new Listener();
  const sent: (string | null)[] = [];
  const client = createClient({
    endpoint: "http://127.0.0.1",
    env: {
      ...driver.world,
      fetch: async (url, init) => {
        sent.push(new Headers(init.headers).get("traceparent"));
        return await driver.fetch(new URL(url).pathname, { ...init, body: String(init.body) });
      },
    },
    traceparent: () => relay.captureTraceparent(),
  });
  await client.getOrCreate("near").action({ name: "here" });
  await listener.forget();
  const uuid = await relay.withScope("work", "agent", async ({ uuid }) => {
    await client.getOrCreate("near").action({ name: "here" });
    return uuid;
  });
  expect(sent).toEqual([null, `00-${uuid.replaceAll("-", "")}-${uuid.replaceAll("-", "").slice(16)}-01`]);
  expect((await listener.start("near.here")).propagation_root_uuid).toBe(uuid);
  await client.dispose();
});
