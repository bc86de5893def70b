/** What actors ask of each other, `c.client()`: the same for an actor here and for one whose code runs elsewhere. */
import { UserError } from "@troupe/base";
import { actor } from "@troupe/runtime";
import { expect, test } from "vitest";
import { Driver } from "../driver/driver.ts";
import { codeOf, Latch, watch } from "../driver/watch.ts";

const types: { readonly "~types"?: { readonly use: { readonly callee: typeof callee } } } = {};
let slow = new Latch();

const callee = actor({
  createState: (_c, input?: { from: number }) => ({ count: input?.from ?? 0 }),
  onBeforeConnect: (_c, params?: { user: string }) => {
    if (params?.user === "stranger") throw new UserError("Not you", { code: "not_you" });
  },
  actions: {
    add: (c, by: number) => {
      c.state.count += by;
      return c.state.count;
    },
    echo: (_c, ...values: unknown[]) => values,
    nothing: () => {},
    refuse: () => {
      throw new UserError("No", { code: "no", metadata: { why: "so" } });
    },
    bug: () => {
      throw new Error("the password is 1234");
    },
    wait: (c) => slow.promise.then(() => ++c.state.count),
  },
});

const caller = actor({
  state: { calls: 0 },
  actions: {
    add: async (c, key: string, by: number) => {
      c.state.calls += 1;
      return await c.client<typeof types>().callee.getOrCreate([key]).add(by);
    },
    echo: async (c) => {
      const handle = c.client<typeof types>().callee.getOrCreate(["e"]);
      const values = [
        2n ** 70n,
        new Date(5),
        new Map([["a", new Set([1])]]),
        Uint8Array.of(1),
        undefined,
        null,
      ];
      return [await handle.echo(...values), (await handle.nothing()) === undefined];
    },
    code: async (c, how: keyof typeof failing) => {
      try {
        await failing[how](c.client());
        return "it went well";
      } catch (error) {
        const { message, metadata } = error as { message: string; metadata?: unknown };
        return { code: codeOf(error), message, metadata };
      }
    },
    make: async (c, key: string) => {
      const client = c.client<typeof types>();
      const made = await client.callee.create([key], { input: { from: 40 } });
      const id = await made.resolve();
      const byKey = await client.callee.get([key]).resolve();
      const byId = await client.callee.getForId(id).add(1);
      const found = await client.callee.getOrCreate([key], { createWithInput: { from: 0 } }).add(1);
      return [id === byKey, byId, found];
    },
    aborted: async (c) => {
      const controller = new AbortController();
      const handle = c.client<typeof types>().callee.getOrCreate(["s"]);
      const waiting = handle.action({ name: "wait", signal: controller.signal });
      const failed = waiting.then(() => "answered", codeOf);
      setImmediate(() => controller.abort(new Error("enough")));
      const before = await handle
        .action({ name: "wait", signal: AbortSignal.abort() })
        .then(() => "answered", codeOf);
      return [await failed, before];
    },
    self: async (c): Promise<unknown> => await c.client().get("caller", []).action({ name: "calls" }),
    calls: (c) => c.state.calls,
  },
});

type AnyClient = ReturnType<Driver<{ callee: typeof callee }>["local"]>;

const failing = {
  missing: (client: AnyClient) => client.callee.get(["nobody"]).add(1),
  unknown: (client: AnyClient) => Reflect.get(client, "stranger").getOrCreate().add(1),
  action: (client: AnyClient) => client.callee.getOrCreate().action({ name: "fly" }),
  user: (client: AnyClient) => client.callee.getOrCreate().refuse(),
  bug: (client: AnyClient) => client.callee.getOrCreate().bug(),
  params: (client: AnyClient) => client.callee.getOrCreate([], { params: { user: "stranger" } }).nothing(),
  twice: async (client: AnyClient) => {
    await client.callee.create(["twice"]);
    await client.callee.create(["twice"]);
  },
  value: (client: AnyClient) => client.callee.getOrCreate().echo(() => {}),
};

const start = () => Driver.start({ caller, callee });

test("a call returns what the other's action gives, and it is stored", async () => {
  await using driver = await start();
  expect((await driver.act("caller", "add", "a", 3)).output).toBe(3);
  expect((await driver.act("caller", "add", "a", 4)).output).toBe(7);
  await driver.crash();
  expect((await driver.act("caller", "add", "a", 1)).output).toBe(8);
  expect((await driver.act("caller", "calls")).output).toBe(3);
});

test("values come and go as they are", async () => {
  await using driver = await start();
  const client = driver.local();
  const values = [2n ** 70n, new Date(5), new Map([["a", new Set([1])]]), Uint8Array.of(1), undefined, null];
  expect(await client.caller.getOrCreate().echo()).toEqual([values, true]);
});

test("to find, to make, to find or make, and to know by id", async () => {
  await using driver = await start();
  expect((await driver.act("caller", "make", "m")).output).toEqual([true, 41, 42]);
  expect((await driver.act("caller", "make", "m")).code).toBe("actor.duplicate_key");
});

test.each([
  ["missing", "actor.not_found"],
  ["unknown", "actor.not_registered"],
  ["action", "actor.action_not_found"],
  ["user", "user.no"],
  ["bug", "internal.error"],
  ["params", "user.not_you"],
  ["twice", "actor.duplicate_key"],
  ["value", "value.unsupported_type"],
] as const)("what fails has its code: %s", async (how, code) => {
  await using driver = await start();
  const { output } = await driver.act("caller", "code", how);
  expect(output).toMatchObject({ code });
  expect(JSON.stringify(output)).not.toContain("1234");
  if (how === "user") expect(output).toMatchObject({ message: "No", metadata: { why: "so" } });
});

test("a call leaves only when what was written before it is durable", async () => {
  await using driver = await start();
  await driver.act("caller", "add", "a", 1);
  await driver.world.idle();
  driver.syncs.hold();
  const asked = watch(driver.act("caller", "add", "a", 1));
  await driver.world.idle();
  const other = watch(driver.act("callee?key=a", "echo"));
  await driver.world.idle();
  // The callee has heard of nothing: it has nothing to store, and answers at once.
  expect([asked.state, other.state]).toEqual(["pending", "resolved"]);
  driver.syncs.letGo();
  await driver.world.until(() => asked.state !== "pending");
  expect(asked.value?.output).toBe(2);
});

test("when the write before it fails the call is never made", async () => {
  await using driver = await start();
  await driver.act("caller", "add", "a", 1);
  await driver.world.idle();
  driver.syncs.failWrites(1);
  expect((await driver.act("caller", "add", "a", 1)).code).toBe("storage.commit_failed");
  await driver.world.idle();
  expect((await driver.act("callee?key=a", "add", 0)).output).toBe(1);
});

test("whoever waits no longer is told so, and what was called goes on", async () => {
  slow = new Latch();
  await using driver = await start();
  expect((await driver.act("caller", "aborted")).output).toEqual(["client.aborted", "client.aborted"]);
  slow.open();
  await driver.world.idle();
  expect((await driver.act("callee?key=s", "add", 0)).output).toBe(1);
});

test("an actor may call itself", async () => {
  await using driver = await start();
  await driver.act("caller", "add", "a", 1);
  expect((await driver.act("caller", "self")).output).toBe(1);
});

test("a hook of a creation may call: what was written goes early, and the actor is whole at its end", async () => {
  const made = actor({
    createState: async (c) => ({ n: await c.client<typeof types>().callee.getOrCreate(["h"]).add(5) }),
    onCreate: async (c) => {
      c.state.n += 1;
      c.state.n += await c.client<typeof types>().callee.getOrCreate(["h"]).add(1);
    },
    actions: { n: (c) => c.state.n },
  });
  await using driver = await Driver.start({ made, callee });
  expect((await driver.act("made", "n")).output).toBe(12);
  await driver.crash();
  expect((await driver.act("made", "n")).output).toBe(12);
});
