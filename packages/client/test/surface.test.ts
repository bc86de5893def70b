/** Everything that RivetKit's client has: what it is called here, and what takes no effect says so. */
import { expect, test } from "vitest";
import { type ClientConfig, settingsOf } from "../src/config.ts";
import { createClient } from "../src/create-client.ts";
import { stage } from "./support/room.ts";
import { World, watch } from "./support/world.ts";

test("handles and connections have every member of RivetKit's, under its name", () => {
  const { client } = stage();
  const handle = client.room.get("a");
  for (const name of [
    "action",
    "connect",
    "fetch",
    "webSocket",
    "resolve",
    "getGatewayUrl",
    "reload",
  ] as const)
    expect([name, typeof handle[name]]).toEqual([name, "function"]);
  const conn = handle.connect();
  const methods = [
    "action",
    "on",
    "once",
    "onError",
    "onOpen",
    "onClose",
    "onStatusChange",
    "dispose",
  ] as const;
  for (const name of methods) expect([name, typeof conn[name]]).toEqual([name, "function"]);
  expect([conn.connStatus, conn.isConnected, conn.ready instanceof Promise]).toEqual([
    "connecting",
    false,
    true,
  ]);
  for (const name of ["get", "getOrCreate", "getForId", "create", "dispose"] as const)
    expect([name, typeof client[name]]).toEqual([name, "function"]);
});

test("RivetKit's binary encoding is refused by name, with what to use, and so is a namespace beside a transport", () => {
  const bare: ClientConfig = { ...JSON.parse('{"encoding":"bare"}'), env: new World() };
  expect(() => createClient(bare)).toThrow(
    expect.objectContaining({
      group: "client",
      code: "encoding_unsupported",
      message: expect.stringContaining('use "cbor"'),
    }),
  );
  const transport = settingsOf({ env: new World() }).transport;
  for (const config of [{ namespace: "" }, { namespace: "staging", transport }])
    expect(() => createClient({ ...config, env: new World() })).toThrow(
      expect.objectContaining({ group: "client", code: "unsupported" }),
    );
});

test("options of RivetKit's that have no effect say so, once", async () => {
  const world = new World();
  const ours = { namespace: "default", poolName: "p", gateway: { skipReadyWait: true }, devtools: false };
  const client = createClient({ env: world, ...ours, getUpgradeWebSocket: () => undefined });
  client.getOrCreate("room", "a", { createInRegion: "eu" });
  client.getOrCreate("room", "b", { createInRegion: "us", poolName: "p" });
  expect(world.warnings.map(({ fields }) => fields)).toEqual([
    { options: ["poolName", "gateway", "devtools", "getUpgradeWebSocket"] },
    { option: "createInRegion" },
    { option: "poolName" },
  ]);
  await client.dispose();
});

test("an option that nobody knows is refused by name, wherever it is given", async () => {
  const client = createClient({ env: new World() });
  const options = Object.fromEntries([["foo", 1]]);
  const unknown = expect.objectContaining({ group: "client", code: "unknown_option" });
  const attempts: readonly (() => unknown)[] = [
    () => client.get("room", "a", options),
    () => client.getOrCreate("room", "a", options),
    () => client.getForId("room", "id", options),
    () => client.get("room").connect(undefined, options),
    () => Reflect.apply(createClient, undefined, ["http://127.0.0.1:1", options]),
  ];
  for (const attempt of attempts) expect(attempt).toThrow(unknown);
  await expect(client.create("room", "a", options)).rejects.toEqual(unknown);
  await client.dispose();
});

test("getGatewayUrl is the address of the actor by its id; reload asks its gateway for that", async () => {
  const world = new World();
  const asked: string[] = [];
  const client = createClient({
    endpoint: "https://example.com/base/",
    env: {
      ...world,
      timers: world.timers,
      fetch: async (url, { method }) => {
        asked.push(method === "POST" ? url : `${method} ${url}`);
        return {
          status: 200,
          headers: new Headers({ "content-type": "application/json" }),
          arrayBuffer: async () => new TextEncoder().encode('{"actorId":"id 1"}').buffer,
        };
      },
    },
  });
  const handle = client.getOrCreate("room", "a");
  expect(await handle.getGatewayUrl()).toBe("https://example.com/base/actor-id/id%201");
  expect(asked).toEqual(["https://example.com/base/actor/room/resolve?key=a&method=getOrCreate"]);
  await handle.reload();
  expect(asked[1]).toBe("PUT https://example.com/base/actor/room/reload?key=a&method=getOrCreate");
  await client.dispose();
});

test("a connection's own signal disposes of it", async () => {
  const { gateway, client } = stage();
  const leaving = new AbortController();
  const conn = client.room.get("a").connect({ token: "t" }, { signal: leaving.signal });
  await gateway.accept();
  expect(conn.connStatus).toBe("connected");
  leaving.abort();
  expect(conn.connStatus).toBe("idle");
});

test("events in a loop: in order, over a reconnection, and leaving the loop unsubscribes", async () => {
  const { world, gateway, client } = stage();
  const conn = client.room.get("a").connect();
  const loop = conn.events("message");
  const link = await gateway.accept();
  expect(link.told).toEqual(["on message"]);
  await link.say({ kind: "event", name: "message", args: ["one"] });
  await link.say({ kind: "event", name: "message", args: ["two"] });
  expect([(await loop.next()).value, (await loop.next()).value]).toEqual([["one"], ["two"]]);
  const third = watch(loop.next());
  await link.drop();
  await world.pass(250);
  const second = await gateway.accept();
  expect(third.state).toBe("pending");
  await second.say({ kind: "event", name: "message", args: ["three"] });
  expect(third.value).toEqual({ done: false, value: ["three"] });
  await loop.return();
  expect(second.told).toEqual(["on message", "off message"]);
  expect(await loop.next()).toEqual({ done: true, value: undefined });
});

test("a loop over events ends with its signal, and with the connection behind what waits", async () => {
  const { gateway, client } = stage();
  const conn = client.room.get("a").connect();
  const leaving = new AbortController();
  const [aborted, disposed] = [conn.events("message", { signal: leaving.signal }), conn.events("message")];
  const link = await gateway.accept();
  await link.say({ kind: "event", name: "message", args: ["one"] });
  leaving.abort();
  expect(await aborted.next()).toEqual({ done: true, value: undefined });
  void conn.dispose();
  const rest: string[] = [];
  for await (const [text] of disposed) rest.push(text);
  expect(rest).toEqual(["one"]);
  expect(await conn.events("message").next()).toEqual({ done: true, value: undefined });
});

test("events that nobody takes are kept up to a limit; past it the loop is told", async () => {
  const { gateway, client } = stage();
  const conn = client.room.get("a").connect();
  const loop = conn.events("message");
  const link = await gateway.accept();
  for (let n = 0; n < 4_100; n += 1) void link.say({ kind: "event", name: "message", args: [`${n}`] });
  await link.say({ kind: "event", name: "message", args: ["last"] });
  let taken = 0;
  const reading = (async () => {
    for await (const _ of loop) taken += 1;
  })();
  await expect(reading).rejects.toMatchObject({ group: "client", code: "events_overflow" });
  expect(taken).toBe(4_096);
});

test("items of a result: the client says what it took by halves of the window, and when it leaves", async () => {
  const { gateway, client } = stage();
  const conn = client.room.get("a").connect();
  const link = await gateway.accept();
  const items = conn.action({ name: "tokens" })[Symbol.asyncIterator]();
  const first = watch(items.next());
  const id = link.idOf("tokens");
  for (let n = 0; n < 130; n += 1) void link.say({ kind: "item", id, item: n });
  await link.say({ kind: "item", id, item: 130 });
  expect(first.value).toEqual({ done: false, value: 0 });
  for (let n = 1; n < 127; n += 1) await items.next();
  expect(link.told).toEqual(["act tokens"]);
  await items.next();
  expect(link.told).toEqual(["act tokens", "take 128"]);
  await items.return?.();
  expect(link.told).toEqual(["act tokens", "take 128", `cancel ${id}`]);
  // What was on its way when it left is nobody's.
  await link.say({ kind: "item", id, item: 131 });
  await link.say({ kind: "end", id });
});
