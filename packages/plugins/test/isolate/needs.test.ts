/** What a dynamic actor gets when its definition says so: calls to other actors, and a database. */
import type { RelayEvent } from "@troupe/relay";
import { createRelay } from "@troupe/relay/node";
import { actor } from "@troupe/runtime";
import { expect, test, vi } from "vitest";
import { dynamicActor } from "../../src/index.ts";
import { DynamicWorld, failure, isolateProcess, moduleOf } from "../support/dynamic-world.ts";
import { needsPackage } from "../support/native-package.ts";

needsPackage("isolated-vm");

const counter = actor({
  createState: (_c, input?: { from: number }) => ({ n: input?.from ?? 0 }),
  actions: {
    add: (c, by: number) => (c.state.n += by),
    refuse: () => {
      throw new Error("the password is 1234");
    },
  },
});

const source = moduleOf(`
  state: { calls: 0 },
  actions: {
    add: async (c, by) => {
      c.state.calls += 1;
      return [c.state.calls, await c.client().counter.getOrCreate(["shared"]).add(by)];
    },
    make: async (c) => {
      const made = await c.client().counter.create(["made"], { input: { from: 40 } });
      return [await made.add(1), await c.client().counter.getForId(await made.resolve()).add(1)];
    },
    fail: (c) => c.client().counter.getOrCreate(["shared"]).refuse(),
    missing: (c) => c.client().counter.get(["nobody"]).add(1),
    abort: async (c) => {
      const controller = new AbortController();
      const call = c.client().counter.getOrCreate(["shared"]).action({ name: "add", args: [0], signal: controller.signal });
      controller.abort();
      return await call.then(() => "went well", (error) => error.group + "." + error.code);
    },
    connect: (c) => c.client().counter.getOrCreate(["shared"]).connect().add(1),
  }`);

test("with the need it calls other actors, and what fails has its code", async () => {
  await using world = await DynamicWorld.start({ it: dynamicActor({ source, needs: ["actors"] }), counter });
  expect(await world.act("it", "add", 5)).toEqual([1, 5]);
  expect(await world.act("it", "add", 5)).toEqual([2, 10]);
  expect(await world.act("counter", "add", 0)).toBe(0);
  expect(await world.handle("counter", "shared").action({ name: "add", args: [0] })).toBe(10);
  expect(await world.act("it", "make")).toEqual([41, 42]);
  const failed = await failure(world.act("it", "fail"));
  expect(failed.is).toBe("internal.error");
  expect(JSON.stringify(failed)).not.toContain("1234");
  expect(await failure(world.act("it", "missing"))).toMatchObject({ is: "actor.not_found" });
  expect(await world.act("it", "abort")).toBe("client.aborted");
  expect(await failure(world.act("it", "connect"))).toMatchObject({ is: "actor.not_carried" });
});

test("S5.6 (in part) an isolate's action is a scope, and the actor that it calls is below it; its own tools are another need", async () => {
  const relay = createRelay();
  const events: RelayEvent[] = [];
  relay.registerSubscriber("events", (event) => void events.push(event));
  const config = `actions: {
    add: (c, by) => c.client().counter.getOrCreate(["shared"]).add(by),
    tool: (c) => c.tool("hammer", {}, () => 1),
  }`;
  const it = dynamicActor({ source: moduleOf(config), needs: ["actors"] });
  await using world = await DynamicWorld.start({ it, counter }, relay);
  expect(await world.act("it", "add", 5)).toBe(5);
  expect(await failure(world.act("it", "tool"))).toMatchObject({ is: "actor.not_granted" });
  await relay.flushSubscribers();
  const named = (name: string) => events.find((event) => event.name === name);
  expect(named("it.add")?.parent_uuid).toBeNull();
  expect(named("counter.add")?.parent_uuid).toBe(named("it.add")?.uuid);
});

test("without it a call is refused, and the refusal names the option; so it is from a loaded source", async () => {
  const load = () => ({ source, needs: ["actors"] });
  await using world = await DynamicWorld.start({
    it: dynamicActor({ source }),
    loaded: dynamicActor({ load }),
    counter,
  });
  const failed = await failure(world.act("it", "add", 5));
  expect(failed.is).toBe("actor.not_granted");
  expect(failed.message).toContain('needs: ["actors"]');
  // A loader gives a source, and no rights.
  expect(await failure(world.act("loaded", "add", 5))).toMatchObject({ is: "dynamic.bad_option" });
});

test("what isn't a need is refused when the definition is made", () => {
  const make = (needs: unknown) => () => Reflect.apply(dynamicActor, undefined, [{ source, needs }]);
  expect(make(["files"])).toThrow(/needs/);
  expect(make([])).not.toThrow();
});

const notes = `
  import { actor } from "troupe";
  import { db } from "troupe/db";
  const insert = (tx, text) => tx.execute("INSERT INTO notes (text) VALUES (?)", text);
  export default actor({
    state: { n: 0 },
    db: db({ onMigrate: async (tx) => { await tx.execute("CREATE TABLE IF NOT EXISTS notes (text TEXT)"); } }),
    actions: {
      add: async (c, text) => { await insert(c.db, text); return c.state.n += 1; },
      texts: async (c) => (await c.db.execute("SELECT text FROM notes")).map((row) => row.text),
      transfer: (c, end) => c.db.transaction(async (tx) => {
        await insert(tx, "first");
        await new Promise((done) => setTimeout(done, 5));
        await tx.transaction(async (inner) => { await insert(inner, "inner"); throw new Error("no"); }).catch(() => {});
        c.state.n += 1;
        await insert(tx, "second");
        if (end === "undone") throw new Error("no");
      }),
      stuck: (c) => c.db.transaction(async (tx) => {
        await insert(tx, "stuck");
        // Nobody knows here that this is inside: it waits for itself.
        await insert(c.db, "outside");
      }, { timeout: 1_000 }),
      rest: (c) => { c.sleep(); },
    },
  });`;

test("a database of its own: statements, and transactions over turns, stored with the state", async () => {
  await using world = await DynamicWorld.start({ it: dynamicActor({ source: notes, needs: ["database"] }) });
  expect(await world.act("it", "add", "a")).toBe(1);
  await world.act("it", "transfer", "kept");
  await failure(world.act("it", "transfer", "undone"));
  expect(await world.act("it", "texts")).toEqual(["a", "first", "second"]);
  await world.restart();
  expect(await world.act("it", "texts")).toEqual(["a", "first", "second"]);
  expect(await world.act("it", "add", "b")).toBe(4);
});

test("where no async context is, a statement outside of `tx` waits for itself until the transaction's time is over", async () => {
  await using world = await DynamicWorld.start({ it: dynamicActor({ source: notes, needs: ["database"] }) });
  expect(await failure(world.act("it", "stuck"))).toMatchObject({ is: "sql.transaction_timed_out" });
  // It is in no transaction then.
  expect(await world.act("it", "texts")).toEqual(["outside"]);
});

test("a transaction that is open when the isolate's process dies was never there", async () => {
  const hang = notes.replace('"stuck");', '"open"); console.log("it is open"); await new Promise(() => {});');
  const lines: string[] = [];
  const keep = (text: string | Uint8Array): boolean => lines.push(String(text)) > 0;
  const spies = [process.stdout, process.stderr].map((stream) =>
    vi.spyOn(stream, "write").mockImplementation(keep),
  );
  try {
    await using world = await DynamicWorld.start({ it: dynamicActor({ source: hang, needs: ["database"] }) });
    expect(await world.act("it", "add", "a")).toBe(1);
    const open = failure(world.act("it", "stuck"));
    await vi.waitFor(() => expect(lines.join("")).toContain("it is open"), { timeout: 15_000, interval: 1 });
    process.kill(isolateProcess(), "SIGKILL");
    expect((await open).is).toBe("dynamic.process_lost");
    expect(await world.act("it", "texts")).toEqual(["a"]);
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
});

test("without the need it doesn't start", async () => {
  await using world = await DynamicWorld.start({ it: dynamicActor({ source: notes }) });
  expect(await failure(world.act("it", "texts"))).toMatchObject({ is: "sql.unavailable" });
});
