/** Plugins of the C and the Rust SDK, in a real host. */
import { type HostOptions, setup, setupTest } from "@troupe/runtime";
import { beforeAll, expect, type TestContext, test } from "vitest";
import { nativeCarrier } from "../../src/carriers/native/native-carrier.ts";
import { pluginActor } from "../../src/plugin-actor.ts";
import { openSession } from "../../src/session/open-session.ts";
import type { PluginSession } from "../../src/session/session.ts";
import { type Built, cExample, cPlugin, rustExample } from "../support/built.ts";
import { nodeSessionEnv } from "../support/node-env.ts";

const TOOL_CONDITIONAL = 12;

let echo: Built;
let guardrail: Built;
let faulty: Built;
let breaks: Built;

beforeAll(async () => {
  [echo, guardrail, breaks, faulty] = await Promise.all([
    cExample("echo"),
    cExample("guardrail"),
    cPlugin("breaks"),
    rustExample("faulty"),
  ]);
}, 300_000);

function path(context: TestContext, built: Built): string {
  return built.missing === undefined ? built.path : context.skip(built.missing);
}

function session(library: string, config = ""): Promise<PluginSession> {
  const open = nativeCarrier({ library });
  return openSession({
    env: nodeSessionEnv,
    open,
    hostVersion: "0",
    config: new TextEncoder().encode(config),
  });
}

async function actors(context: TestContext, library: string, actor?: string, options: HostOptions = {}) {
  const definition = pluginActor({ library, options, ...(actor && { actor }) });
  const { client, evict } = await setupTest(context, setup({ use: { it: definition } }), { clock: "real" });
  const handle = client.it.getOrCreate(["a"]);
  return {
    act: (name: string, ...args: unknown[]) => handle.action({ name, args }),
    sleep: () => evict(handle),
  };
}

test("S1.9 (in part): bytes cross raw, both ways, as they are", async (context) => {
  const { act } = await actors(context, path(context, echo));
  const all = Uint8Array.from({ length: 256 }, (_, at) => at);
  expect(await act("echo", all)).toEqual(all);
  const view = Buffer.from(all.buffer, 100, 7);
  expect(await act("echo", view)).toEqual(all.subarray(100, 107));
  const large = new Uint8Array(3_000_000).map((_, at) => at * 31);
  expect(Buffer.compare((await act("echo", large)) as Uint8Array, large)).toBe(0);
});

test("answers of the plugin's own threads come through the descriptor, each to its call", async (context) => {
  const { act } = await actors(context, path(context, echo));
  const calls = Array.from({ length: 50 }, (_, at) => act(at % 2 === 0 ? "later" : "echo", `call ${at}`));
  const texts = (await Promise.all(calls)).map((value) => new TextDecoder().decode(value as Uint8Array));
  expect(texts).toEqual(Array.from({ length: 50 }, (_, at) => `call ${at}`));
});

test("a plugin whose thread outlives its close is told of, and what it says then hurts nobody", async (context) => {
  const library = path(context, echo);
  const open = await session(library);
  const line = open.actor("echo").connect({ heard() {}, lost() {} });
  const start = { name: "e", key: [], actorId: "", generation: 1, createdAt: 0, isNew: true, rows: [] };
  const none = new Uint8Array(0);
  line.send({ $case: "start", value: { ...start, input: none, actor: "echo", moreRows: false } });
  const call = { call: 1, action: "muchLater", args: none, connection: 0, params: none, timeoutMs: 0 };
  const terms = { send: undefined, idempotencyKey: "", caller: "", chain: [], depth: 0, trace: "" };
  line.send({ $case: "call", value: { ...call, ...terms } });
  await new Promise((resolve) => setImmediate(resolve));
  await expect(open.close(20)).resolves.toEqual({ clean: false });
  const other = await session(library);
  await expect(other.close()).resolves.toEqual({ clean: true });
});

test("S1.3 a panic is an error of its call: the host, the plugin and the actor live on", async (context) => {
  const { act, sleep } = await actors(context, path(context, faulty), "faulty");
  expect(await act("echo", "before")).toBe("before");
  const refusal = await act("panic", "oh no").catch((error: unknown) => error);
  // What a panic says is for the host's log.
  expect(refusal).toMatchObject({
    group: "internal",
    code: "error",
    message: "Internal error",
    retryable: false,
  });
  expect(await act("echo", "after")).toBe("after");
  await sleep();
  expect(await act("echo", "awake again")).toBe("awake again");
});

test("S1.3 a panic at the start fails the start, and one in middleware its call, with the panic's text", async (context) => {
  const library = path(context, faulty);
  const { act } = await actors(context, library, "unborn");
  await expect(act("anything")).rejects.toThrow();
  const open = await session(library);
  const call = { kind: TOOL_CONDITIONAL, name: "faulty", payload: {} };
  for (let again = 0; again < 2; again += 1)
    await expect(open.invoke(call)).rejects.toMatchObject({
      group: "plugin",
      code: "panicked",
      message: "The plugin panicked: in the guardrail",
      public: false,
    });
  await open.close();
});

test("a guardrail in C refuses a tool by name, and a configuration that it can't use", async (context) => {
  const library = path(context, guardrail);
  const open = await session(library, "{}");
  expect(open.declared.middleware).toEqual([{ kind: TOOL_CONDITIONAL, name: "no-rm", priority: 10 }]);
  const ask = (toolName: string) =>
    open.invoke({ kind: TOOL_CONDITIONAL, name: "no-rm", payload: { toolName, args: {} } });
  expect(await ask("ls")).toBeNull();
  expect(await ask("rm")).toBe("rm isn't allowed here");
  await open.close();
  await expect(session(library, "[]")).rejects.toMatchObject({
    code: "refused",
    message: "The plugin refused to start: the configuration must be a JSON object",
  });
});

test("a plugin that broke takes only its running actors with it: the next call opens it again, and what was stored is there", async (context) => {
  const library = path(context, breaks);
  const { act } = await actors(context, library, "breaks");
  const definition = pluginActor({ library, actor: "breaks" });
  const { client } = await setupTest(context, setup({ use: { it: definition } }));
  const neighbour = client.it.getOrCreate(["b"]);
  expect(await act("increment")).toBe(1);
  expect(await neighbour.action({ name: "increment", args: [] })).toBe(1);
  await expect(act("break")).rejects.toMatchObject({ group: "plugin", code: "broken", retryable: false });
  expect(await act("increment")).toBe(2);
  // Another runtime's plugin of the same library: an open of its own.
  expect(await neighbour.action({ name: "increment", args: [] })).toBe(2);
});

test.for(["breaks", "quick"])(
  "what no frame holds is an error of that call alone, and nothing of it is written: %s",
  async (actor, context) => {
    const { act, sleep } = await actors(context, path(context, breaks), actor);
    expect(await act("increment")).toBe(1);
    const other = act("late");
    await expect(act("swell")).rejects.toMatchObject({
      group: "plugin",
      code: "frame_too_long",
      retryable: false,
    });
    expect(await act("increment")).toBe(2);
    expect(await other).toBeNull();
    await sleep();
    expect(await act("increment")).toBe(3);
  },
);

test("what no frame holds is an error of that call alone, in Rust too", async (context) => {
  const { act, sleep } = await actors(context, path(context, faulty), "faulty");
  expect(await act("echo", "kept")).toBe("kept");
  await expect(act("swell")).rejects.toMatchObject({ group: "plugin", code: "frame_too_long" });
  expect(await act("last")).toBe("kept");
  await sleep();
  expect(await act("last")).toBe("kept");
});

test("a deferred call that is given up, or panics, is answered: nobody waits for ever", async (context) => {
  const { act } = await actors(context, path(context, faulty), "faulty");
  await expect(act("giveUp")).rejects.toMatchObject({ group: "plugin", code: "no_answer" });
  await expect(act("panicLater")).rejects.toMatchObject({ group: "internal", code: "error" });
  expect(await act("echo", "after")).toBe("after");
});

test("a property that storage refuses ends that actor's turn, not its neighbour's", async (context) => {
  const definition = pluginActor({ library: path(context, breaks), actor: "breaks" });
  const { client } = await setupTest(context, setup({ use: { it: definition } }));
  const act = (key: string, name: string) => client.it.getOrCreate([key]).action({ name, args: [] });
  expect([await act("a", "increment"), await act("b", "increment")]).toEqual([1, 1]);
  const late = act("b", "late");
  const error = { group: "storage", code: "property_too_large", retryable: false };
  await expect(act("a", "grow")).rejects.toMatchObject(error);
  expect(await late).toBeNull();
  expect([await act("a", "increment"), await act("b", "increment")]).toEqual([2, 2]);
});

test("a start that writes what no frame holds fails, for good", async (context) => {
  const { act } = await actors(context, path(context, breaks), "swollen");
  const error = { group: "plugin", code: "frame_too_long", retryable: false };
  await expect(act("increment")).rejects.toMatchObject(error);
});

test("S1.4 (in part): options that the plugin declares are in force, each actor's own, and an unknown one is refused", async (context) => {
  const library = path(context, breaks);
  const patient = await actors(context, library, "breaks");
  const hurried = await actors(context, library, "hurried");
  const [waited, gaveUp] = await Promise.allSettled([patient.act("late"), hurried.act("late")]);
  expect(waited).toEqual({ status: "fulfilled", value: null });
  expect(gaveUp).toMatchObject({ reason: { group: "actor", code: "action_timed_out" } });
  // The program that registers it has the last word on what the runtime keeps.
  const told = await actors(context, library, "breaks", { actionTimeout: 50 });
  await expect(told.act("late")).rejects.toMatchObject({ group: "actor", code: "action_timed_out" });
  const calmed = await actors(context, library, "hurried", { actionTimeout: 60_000 });
  expect(await calmed.act("late")).toBeNull();
  const odd = await actors(context, library, "odd");
  await expect(odd.act("increment")).rejects.toMatchObject({
    message: expect.stringMatching(/actionTimeout/),
  });
});

test("a library with several actors asks which one; one that it hasn't got is named", async (context) => {
  const library = path(context, faulty);
  const several = await actors(context, library);
  // Which actors a library has is for who runs the host.
  await expect(several.act("echo", "a")).rejects.toMatchObject({ group: "actor", code: "start_failed" });
  const open = await session(library);
  expect(() => open.actor("other")).toThrow(/no actor "other"; it has faulty, unborn/);
  await open.close();
});

test("S1.5 a definition is frozen, and so is what it was made from", () => {
  const options = { library: "./a.so", config: { step: 1 } };
  const definition = pluginActor(options);
  expect(Object.isFrozen(definition)).toBe(true);
  expect(Object.isFrozen(definition.behaviour)).toBe(true);
  expect(Object.isFrozen(definition.descriptor)).toBe(true);
  expect(Reflect.set(definition.behaviour, "open", () => {})).toBe(false);
  expect(Reflect.set(definition, "behaviour", { kind: "local" })).toBe(false);
  expect(Object.keys(definition).sort()).toEqual(["behaviour", "descriptor"]);
});

test("an option that isn't one is refused by name", () => {
  expect(() => pluginActor({ library: "" })).toThrow(/library/);
  expect(() => pluginActor({ library: new URL("https://example.org/a.so") })).toThrow(/file: URL/);
  const unknown: Parameters<typeof pluginActor>[0] = { library: "a.so", ...{ libary: "b.so" } };
  expect(() => pluginActor(unknown)).toThrow(/no option "libary"/);
});
