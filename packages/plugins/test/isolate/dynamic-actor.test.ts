/** A dynamic actor is an actor: what it says, what it keeps, when it sleeps and wakes. */
import { once } from "node:events";
import { expect, test, vi } from "vitest";
import { WebSocket } from "ws";
import { dynamicActor } from "../../src/index.ts";
import { DynamicWorld, dynamic, failure, isolateProcess, moduleOf } from "../support/dynamic-world.ts";
import { needsPackage } from "../support/native-package.ts";

needsPackage("isolated-vm");

/** Settles when `check` no longer throws: on a machine that is busy, late. */
const soon = (check: () => unknown): Promise<unknown> => vi.waitFor(check, { timeout: 15_000 });

const counter = `
  state: { count: 0, created: 0, woken: 0 },
  events: { changed: event() },
  onCreate: (c) => { c.state.created += 1; },
  onWake: (c) => { c.state.woken += 1; console.log("awake", c.key[0], { woken: c.state.woken }); },
  actions: {
    add: (c, by) => {
      c.state.count += by;
      c.broadcast("changed", c.state.count);
      return c.state.count;
    },
    all: (c) => ({ ...c.state }),
    later: async (c, value) => { await new Promise((done) => setTimeout(done, 5)); return value; },
    values: (c, ...values) => values,
    refuse: () => { throw new UserError("No such thing", { code: "no_such_thing", metadata: { thing: 7 } }); },
    bug: () => { undefined.nothing; },
    rest: (c) => { c.sleep(); },
    addAfter: (c, ms, by) => { c.schedule.after(ms, "add", by); c.sleep(); },
    end: (c) => { c.destroy(); },
  }`;

test("actions, sync and async; values come back as they went; errors keep their type", async () => {
  await using world = await DynamicWorld.start({ counter: dynamic(counter) });
  expect(await world.act("counter", "add", 2)).toBe(2);
  expect(await world.act("counter", "later", "x")).toBe("x");
  const values = [null, -0, 2n ** 70n, new Date(5), new Map([["ä€😀", new Set([1])]]), Uint8Array.of(1, 2)];
  expect(await world.act("counter", "values", ...values)).toEqual(values);
  expect(await failure(world.act("counter", "refuse"))).toMatchObject({
    is: "user.no_such_thing",
    metadata: { thing: 7 },
  });
  expect(await failure(world.act("counter", "bug"))).toMatchObject({ is: "internal.error" });
  expect(await failure(world.act("counter", "nothing"))).toMatchObject({ is: "actor.action_not_found" });
});

test("events reach who listens, before the reply that follows them", async () => {
  await using world = await DynamicWorld.start({ counter: dynamic(counter) });
  const connection = world.handle("counter").connect();
  const heard: unknown[] = [];
  connection.on("changed", (count: unknown) => heard.push(count));
  await connection.action({ name: "add", args: [1] });
  await connection.action({ name: "add", args: [2] });
  expect(heard).toEqual([1, 3]);
  await connection.dispose();
});

test("state is kept over sleep and over the runtime's end; hooks run once for each life", async () => {
  await using world = await DynamicWorld.start({ counter: dynamic(counter) });
  await world.act("counter", "add", 5);
  await world.act("counter", "rest");
  await soon(async () =>
    expect(await world.act("counter", "all")).toEqual({ count: 5, created: 1, woken: 2 }),
  );
  await world.restart();
  expect(await world.act("counter", "all")).toEqual({ count: 5, created: 1, woken: 3 });
});

test("a schedule wakes a sleeping dynamic actor", async () => {
  await using world = await DynamicWorld.start({ counter: dynamic(counter) });
  await world.act("counter", "addAfter", 50, 7);
  await soon(async () => expect(await world.act("counter", "all")).toMatchObject({ count: 7, created: 1 }));
});

test("keys and values are written with the turn, and read over what isn't stored yet", async () => {
  const store = `
  actions: {
    put: async (c, key, value) => { await c.kv.put(key, value); return await c.kv.get(key); },
    get: (c, key) => c.kv.get(key),
    list: async (c, prefix) => (await c.kv.listPrefix(prefix)).map(([key, value]) => [key, value]),
    rest: (c) => { c.sleep(); },
  }`;
  await using world = await DynamicWorld.start({ store: dynamic(store) });
  expect(await world.act("store", "put", "user/b", "two")).toBe("two");
  expect(await world.act("store", "put", "user/a", "one")).toBe("one");
  await world.act("store", "rest");
  await world.restart();
  expect(await world.act("store", "get", "user/b")).toBe("two");
  expect(await world.act("store", "list", "user/")).toEqual([
    ["user/a", "one"],
    ["user/b", "two"],
  ]);
});

test("a call under an idempotency key is applied once, and one at a time where it is asked for", async () => {
  const source = `
  state: { n: 0 }, options: { concurrency: "serial" },
  actions: { add: async (c) => {
    const n = c.state.n; await new Promise((resolve) => setTimeout(resolve, 1)); c.state.n = n + 1; return c.state.n;
  } }`;
  await using world = await DynamicWorld.start({ counter: dynamic(source) });
  const add = () => world.handle("counter").action({ name: "add", idempotencyKey: "k" });
  expect([await add(), await add()]).toEqual([1, 1]);
  await world.restart();
  expect(await add()).toBe(1);
  const all = await Promise.all([1, 2, 3].map(() => world.act("counter", "add")));
  expect(all.sort()).toEqual([2, 3, 4]);
});

test("what it prints is in the host's log, under its name", async () => {
  const lines: string[] = [];
  const keep = (text: string | Uint8Array): boolean => lines.push(String(text)) > 0;
  const spies = [process.stdout, process.stderr].map((stream) =>
    vi.spyOn(stream, "write").mockImplementation(keep),
  );
  try {
    await using world = await DynamicWorld.start({ counter: dynamic(counter) });
    await world.act("counter", "add", 1);
    await soon(() => expect(lines.join("")).toContain('awake a {\\"woken\\":1}'));
    expect(lines.find((line) => line.includes("awake"))).toContain('"actor":"counter"');
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
});

test("a destroyed one is gone, and made anew when it is asked for", async () => {
  await using world = await DynamicWorld.start({ counter: dynamic(counter) });
  await world.act("counter", "add", 1);
  await world.act("counter", "end");
  await soon(async () =>
    expect(await world.act("counter", "all")).toEqual({ count: 0, created: 1, woken: 1 }),
  );
});

test("each activation has an isolate of its own: what a module keeps for itself is one actor's", async () => {
  const source = `import { actor } from "troupe"; let calls = 0; export default actor({ actions: { call: () => ++calls } });`;
  await using world = await DynamicWorld.one({ source });
  const call = (key: string) => world.handle("it", key).action({ name: "call", args: [] });
  expect([await call("a"), await call("a"), await call("b")]).toEqual([1, 2, 1]);
  expect(isolateProcess()).toBeGreaterThan(0);
});

test("a loader is asked at each activation, and told whose it is", async () => {
  const asked: unknown[] = [];
  const load = (c: { name: string; key: readonly string[]; input: unknown }) => {
    asked.push([c.name, c.key, c.input]);
    return { source: moduleOf(`actions: { who: () => ${JSON.stringify(c.key[0])} }`) };
  };
  await using world = await DynamicWorld.start({ it: dynamicActor({ load }) });
  const who = (key: string) => world.handle("it", key).action({ name: "who", args: [] });
  expect([await who("x"), await who("y"), await who("x")]).toEqual(["x", "y", "x"]);
  expect(asked).toEqual([
    ["it", ["x"], undefined],
    ["it", ["y"], undefined],
  ]);
});

test("c.kv: keys and values, in order, kept over sleep", async () => {
  const keeper = `
    actions: {
      put: async (c, entries) => { for (const [key, value] of entries) await c.kv.put(key, value); },
      get: (c, key) => c.kv.get(key),
      rest: (c) => { c.sleep(); },
    }`;
  await using world = await DynamicWorld.start({ keeper: dynamic(keeper) });
  await world.act("keeper", "put", [
    ["a", "one"],
    ["ä", "two"],
  ]);
  await world.act("keeper", "rest");
  expect(await world.act("keeper", "get", "ä")).toBe("two");
  expect(await world.act("keeper", "get", "b")).toBe(null);
});

test("S2.3 (in part) raw WebSockets: what was sent before the actor was there is echoed first, and all in order", async () => {
  const echo = `
    onWebSocket: async (c, socket) => {
      await new Promise((done) => setTimeout(done, 20));
      socket.addEventListener("message", (event) => socket.send(event.data));
    },
    actions: {}`;
  await using world = await DynamicWorld.start({ echo: dynamic(echo) });
  const socket = new WebSocket(`${world.endpoint.replace("http", "ws")}/actor/echo/websocket?key=a`);
  const heard: string[] = [];
  socket.on("message", (data, binary) => heard.push(binary ? `bytes ${String(data)}` : String(data)));
  await once(socket, "open");
  const sent: string[] = [];
  for (let n = 0; n < 200; n += 1) {
    const binary = n % 3 === 0;
    sent.push(binary ? `bytes ${n}` : `${n}`);
    socket.send(binary ? Buffer.from(`${n}`) : `${n}`);
    if (n % 50 === 49) await new Promise((next) => setImmediate(next));
  }
  await soon(() => expect(heard).toHaveLength(200));
  expect(heard).toEqual(sent);
  const closed = once(socket, "close");
  socket.close(1000);
  await closed;
});

test("its definition is frozen, and wrong options are refused by name", () => {
  const definition = dynamicActor({ source: "" });
  expect(Object.isFrozen(definition) && Object.isFrozen(definition.behaviour)).toBe(true);
  const wrong: readonly unknown[] = [
    {},
    { source: 1 },
    { source: "", sauce: "" },
    { source: "", sourceFormat: "commonjs-js" },
    { source: "", limits: { memoryLimit: 7 } },
    { source: "", limits: { cpuTimeLimitMs: 0 } },
    { source: "", nodeProcess: { cpuTimeLimitMs: 9 } },
    { source: new URL("data:text/javascript,1") },
    { source: "", sha256: "00" },
    { load: "x" },
    { load: () => ({ source: "" }), source: "" },
  ];
  for (const options of wrong)
    expect(() => Reflect.apply(dynamicActor, undefined, [options])).toThrow(/dynamicActor can't be made/);
});
