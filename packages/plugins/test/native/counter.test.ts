/** One story about a counter, told of the same actor in three languages, and in WebAssembly. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { UserError } from "@troupe/base";
import { type ActorConn, createClient } from "@troupe/client";
import { type AnyActorDefinition, actor, event, setup, setupTest } from "@troupe/runtime";
import { beforeAll, describe, expect, type TestContext, test } from "vitest";
import { pluginActor } from "../../src/plugin-actor.ts";
import { type Built, cExample, rustExample, wasmExample } from "../support/built.ts";

const typescript = actor({
  state: { count: 0 },
  events: { changed: event<number>() },
  actions: {
    get: (c) => c.state.count,
    increment: (c, by: unknown) => {
      if (typeof by !== "number" || !Number.isInteger(by))
        throw new UserError("increment takes an integer", { code: "not_a_number" });
      c.state.count += by;
      c.broadcast("changed", c.state.count);
      return c.state.count;
    },
  },
});

const native = (built: Built): Made =>
  built.missing === undefined
    ? { definition: pluginActor({ library: built.path }) }
    : { missing: built.missing };

const wasm = (built: Built): Made =>
  built.missing === undefined
    ? { definition: pluginActor({ wasm: built.path }) }
    : { missing: built.missing };

type Made =
  | { readonly definition: AnyActorDefinition; readonly missing?: never }
  | { readonly missing: string };

const languages: readonly (readonly [string, () => Promise<Made>])[] = [
  ["TypeScript", () => Promise.resolve({ definition: typescript })],
  ["C", async () => native(await cExample("counter"))],
  ["WebAssembly, from C", async () => wasm(await wasmExample("counter"))],
  ["Rust", async () => native(await rustExample("counter"))],
];

describe.each(languages)("the counter in %s", (_, make) => {
  let made: Made;
  beforeAll(async () => {
    made = await make();
  }, 300_000);

  function registry(context: TestContext) {
    if (made.missing !== undefined) return context.skip(made.missing);
    return setup({ use: { counter: made.definition } });
  }

  async function one(context: TestContext) {
    const { client, evict } = await setupTest(context, registry(context));
    const counter = client.counter.getOrCreate(["a"]);
    const act = (name: string, ...args: unknown[]) => counter.action({ name, args });
    return { client, counter, act, evict };
  }

  test("counts, each instance for itself", async (context) => {
    const { client, act } = await one(context);
    expect(await act("get")).toBe(0);
    expect(await act("increment", 2)).toBe(2);
    expect(await act("increment", -5)).toBe(-3);
    expect(await act("get")).toBe(-3);
    expect(await client.counter.getOrCreate(["b"]).action({ name: "get", args: [] })).toBe(0);
  });

  test("keeps its state over sleep, and goes on counting", async (context) => {
    const { counter, act, evict } = await one(context);
    await act("increment", 41);
    await evict(counter);
    expect(await act("get")).toBe(41);
    expect(await act("increment", 1)).toBe(42);
  });

  test("tells who listens of each change, before it answers the change's caller", async (context) => {
    const { counter, act } = await one(context);
    const conn = counter.connect();
    const heard: unknown[] = [];
    conn.on("changed", (count: unknown) => void heard.push(count));
    await conn.action({ name: "increment", args: [1] });
    expect(heard).toEqual([1]);
    const second = next(conn);
    await act("increment", 2);
    expect(await second).toBe(3);
    expect(heard).toEqual([1, 3]);
  });

  test("fails with its own error, and with ours for an action that isn't there; it counts on", async (context) => {
    const { act } = await one(context);
    await act("increment", 1);
    await expect(act("increment", "one")).rejects.toMatchObject({
      group: "user",
      code: "not_a_number",
      message: "increment takes an integer",
      retryable: false,
    });
    await expect(act("decrement")).rejects.toMatchObject({ group: "actor", code: "action_not_found" });
    expect(await act("get")).toBe(1);
  });

  test("a hundred calls at once are all counted, and answered in the order in which they were made", async (context) => {
    const { act } = await one(context);
    const answers = await Promise.all(Array.from({ length: 100 }, () => act("increment", 1)));
    expect(answers).toEqual(Array.from({ length: 100 }, (__, at) => at + 1));
  });

  test("S4.2 (in part) 1,000 connections subscribe and act in one tick: each hears of its own change", async (context) => {
    const { client } = await one(context);
    for (let index = 0; index < 1_000; index += 1) {
      const conn = client.counter.getOrCreate([`${index % 10}`]).connect();
      const heard: unknown[] = [];
      conn.on("changed", (count: unknown) => void heard.push(count));
      const counted = await conn.action({ name: "increment", args: [1] });
      expect(heard).toEqual([counted]);
      await conn.dispose();
    }
  });

  test("on a real server with a real disk it outlives the server", async (context) => {
    const dataDir = mkdtempSync(join(tmpdir(), "troupe-test-counter-"));
    context.onTestFinished(() => rmSync(dataDir, { recursive: true, force: true }));
    for (const expected of [5, 10]) {
      const counting = registry(context);
      const server = await counting.start({ port: 0, dataDir, signals: false, banner: false });
      try {
        const client = createClient<typeof counting>({ endpoint: server.endpoint });
        const counter = client.counter.getOrCreate(["a"]);
        expect(await counter.action({ name: "increment", args: [5] })).toBe(expected);
        await client.dispose();
      } finally {
        await counting.stop();
      }
    }
  });
});

function next(conn: Pick<ActorConn<AnyActorDefinition>, "on">): Promise<unknown> {
  return new Promise((resolve) => {
    const off = conn.on("changed", (count: unknown) => {
      off();
      resolve(count);
    });
  });
}
