/** What hostile sources try, and where it ends: in their own isolate, with a name. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { dynamicActor } from "../../src/index.ts";
import { DynamicWorld, dynamic, failure, isolateProcess, moduleOf } from "../support/dynamic-world.ts";
import { attempts, bombs, sharedMemory, stubborn } from "../support/escapes.ts";
import { needsPackage } from "../support/native-package.ts";

needsPackage("isolated-vm");

const hostile = `${sharedMemory}
${moduleOf(`
  actions: {
    ${attempts.map(([, expression], index) => `a${index}: async (c) => await (${expression}),`).join("\n")}
  }`)}`;

let world: DynamicWorld;
beforeAll(async () => {
  const memoryLimit = 16;
  world = await DynamicWorld.start({
    hostile: dynamicActor({ source: hostile }),
    longLoop: dynamic("actions: { act: () => { for (;;); } }", { cpuTimeLimitMs: 4_000 }),
    neighbour: dynamic("state: { n: 0 }, actions: { add: (c) => (c.state.n += 1) }"),
    ...Object.fromEntries(
      Object.entries(bombs).map(([name, { action, is }]) => [
        name,
        dynamicActor({
          source: `${sharedMemory}\n${moduleOf(`actions: { act: ${action} }`)}`,
          limits: { memoryLimit, cpuTimeLimitMs: is === "dynamic.time_exceeded" ? 300 : 10_000 },
        }),
      ]),
    ),
  });
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
});

test.each(attempts.map(([what, , finds], index) => [what, index, finds] as const))(
  "finds nothing: %s",
  async (_what, index, finds) => {
    expect(await world.act("hostile", `a${index}`)).toEqual(finds);
  },
);

test.each(Object.entries(bombs))("harms nobody else: %s", async (name, { is }) => {
  const before = await world.act("neighbour", "add");
  const pid = isolateProcess();
  expect(await failure(world.act(name, "act"))).toMatchObject({ is });
  expect(await world.act("neighbour", "add")).toBe(Number(before) + 1);
  expect(isolateProcess()).toBe(pid);
});

test.each(Object.entries(stubborn))(
  "ends the process of isolates, and nothing else: %s",
  async (_, action) => {
    const limits = { memoryLimit: 16, cpuTimeLimitMs: 300 };
    await using own = await DynamicWorld.start({
      stubborn: dynamicActor({ source: moduleOf(`actions: { act: ${action} }`), limits }),
      neighbour: dynamic("state: { n: 0 }, actions: { add: (c) => (c.state.n += 1) }"),
    });
    expect(await own.act("neighbour", "add")).toBe(1);
    expect(await failure(own.act("stubborn", "act"))).toMatchObject({ is: "dynamic.process_lost" });
    expect(await own.act("neighbour", "add")).toBe(2);
  },
);

test("the corpus: at least 40 attempts, each another one", () => {
  const all = [
    ...attempts.map(([, expression]) => expression),
    ...Object.values(stubborn),
    ...Object.values(bombs).map((one) => one.action),
  ];
  expect(new Set(all).size).toBe(all.length);
  expect(all.length).toBeGreaterThanOrEqual(40);
});

test("a neighbour is answered while another one runs to its limit", async () => {
  const looping = failure(world.act("longLoop", "act"));
  let over = false;
  void looping.then(() => {
    over = true;
  });
  const before = Number(await world.act("neighbour", "add"));
  for (let n = 1; n <= 5; n += 1) expect(await world.act("neighbour", "add")).toBe(before + n);
  expect(over).toBe(false);
  await looping;
});

test("an actor that spoils the language under itself spoils nothing of the host's", async () => {
  const spoil = `
    for (const type of [Object, Array, Uint8Array, Map, Promise, Function])
      for (const name of Object.getOwnPropertyNames(type.prototype))
        if (name !== "constructor") try { type.prototype[name] = () => { throw 1; }; } catch {}
    Object.defineProperty(Object.prototype, "group", { get: () => "forged", set() {} });`;
  const source = `import { actor } from "troupe"; export default actor({ actions: { spoil: () => { ${spoil} } } });`;
  await using own = await DynamicWorld.start({
    spoiler: dynamicActor({ source, limits: { cpuTimeLimitMs: 300 } }),
    neighbour: dynamic("actions: { hello: () => 'hello' }"),
  });
  const spoiled = own.act("spoiler", "spoil").catch(() => {});
  expect(await own.act("neighbour", "hello")).toBe("hello");
  expect("group" in {}).toBe(false);
  await own.stop();
  await spoiled;
});
