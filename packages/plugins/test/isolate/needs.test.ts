/** What a dynamic actor gets when its definition says so: calls to other actors, and a database. */
import { actor } from "@troupe/runtime";
import { expect, test } from "vitest";
import { dynamicActor } from "../../src/index.ts";
import { DynamicWorld, failure, moduleOf } from "../support/dynamic-world.ts";

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
