/** Workflows that are started by their names: many of one actor, ids from outside, children, and how long they are kept. */
import { limits } from "@troupe/protocol";
import { actor, queue, workflow } from "@troupe/runtime";
import { expect, test } from "vitest";
import { Driver } from "../driver/driver.ts";
import { codeOf, Latch, watch } from "../driver/watch.ts";

let gate = new Latch();
let ran: string[] = [];

const shop = actor({
  state: { paid: [] as string[] },
  queues: { parcels: queue<string>() },
  options: { sleepTimeout: 1_000, sleepGracePeriod: 100 },
  run: workflow(async () => "nothing to do", {
    workflows: {
      order: async (ctx, input: { item: string }) => {
        const receipt = await ctx.child<string>("pay", { workflow: "payment", input: input.item });
        return { receipt, item: input.item };
      },
      payment: async (ctx, item: string) => {
        await ctx.sleep("the bank", 5_000);
        return await ctx.step("pay", async (step) => {
          ran.push(item);
          await gate.promise;
          if (item === "gold") throw new Error("too dear");
          step.state.paid.push(item);
          return `receipt for ${item}`;
        });
      },
      starter: async (ctx) => {
        await ctx.step("start", async (step) => {
          await step.workflows.start("payment", { id: "from a step", input: "tea" });
        });
      },
      quick: async (_ctx, input: unknown) => input,
      forever: async (ctx) => {
        await ctx.queue.next("never", { names: ["parcels"] });
      },
    },
  }),
  actions: {
    start: async (c, name: string, id?: string, input?: unknown) => {
      const info = await c.workflows.start(name, { ...(id === undefined ? {} : { id }), input });
      return info.id;
    },
    startMany: async (c, name: string, count: number) => {
      let code: string | undefined;
      for (let n = 0; n < count; n += 1)
        code = await c.workflows.start(name, { id: `${name} ${n}`, input: n }).then(() => undefined, codeOf);
      return code;
    },
    get: async (c, id: string) => await c.workflows.get(id),
    result: async (c, id: string) => await c.workflows.result(id),
    list: async (c) => (await c.workflows.list()).map(({ id }) => id).sort(),
    cancel: async (c, id: string) => await c.workflows.cancel(id),
    paid: (c) => c.state.paid,
    big: async (c) => {
      const input = "x".repeat(limits.workflowValueBytes);
      return await c.workflows.start("quick", { input }).catch(codeOf);
    },
  },
});

async function started() {
  gate = new Latch();
  ran = [];
  const driver = await Driver.start({ shop });
  return {
    driver,
    handle: () => driver.client().shop.getOrCreate("s"),
    [Symbol.asyncDispose]: () => driver[Symbol.asyncDispose](),
  };
}

test("an id from outside is one workflow, however often it is started, also when it has ended", async () => {
  await using ground = await started();
  const { driver, handle } = ground;
  gate.open();
  await handle().start("order", "order-1", { item: "tea" });
  await handle().start("order", "order-1", { item: "tea" });
  expect(await handle().list()).toEqual(["order-1", "order-1/pay"]);
  await driver.world.pass(2_000);
  expect(driver.runtime.host.size).toBe(0);
  await driver.crash();
  await driver.world.pass(3_100);
  expect(await handle().get("order-1")).toMatchObject({
    workflow: "order",
    state: "completed",
    output: { receipt: "receipt for tea", item: "tea" },
  });
  await handle().start("order", "order-1", { item: "tea" });
  expect(await handle().paid()).toEqual(["tea"]);
  expect(ran).toEqual(["tea"]);
  expect(await handle().start("quick", "order-1").catch(codeOf)).toBe("workflow.id_taken");
});

test("many go on beside each other, and a crash in the middle loses none", async () => {
  await using ground = await started();
  const { driver, handle } = ground;
  for (const item of ["tea", "milk", "salt"]) await handle().start("order", item, { item });
  await driver.world.pass(5_010);
  expect(ran.toSorted()).toEqual(["milk", "salt", "tea"]);
  await driver.crash();
  gate.open();
  await driver.world.pass(100);
  expect((await handle().paid()).toSorted()).toEqual(["milk", "salt", "tea"]);
  expect(await handle().list()).toEqual([]);
});

test("a child that fails is an error of its parent; whoever waits for a result is told", async () => {
  await using ground = await started();
  const { driver, handle } = ground;
  gate.open();
  await handle().start("order", "o", { item: "gold" });
  const waits = watch(handle().result("o"));
  await driver.world.pass(10_000);
  expect(waits.code).toBe("workflow.failed");
  expect(await handle().get("o")).toMatchObject({
    state: "failed",
    error: { metadata: { code: "child_failed", id: "o/pay" } },
  });
});

test("one that a step starts is there with the step's result", async () => {
  await using ground = await started();
  const { driver, handle } = ground;
  gate.open();
  await handle().start("starter", "s");
  await driver.world.pass(6_000);
  expect(await handle().get("from a step")).toMatchObject({ state: "completed", output: "receipt for tea" });
});

test("one that is cancelled goes no further, also behind a crash", async () => {
  await using ground = await started();
  const { driver, handle } = ground;
  await handle().start("payment", "p", "tea");
  const waits = watch(handle().result("p"));
  await driver.world.pass(10);
  expect(await handle().cancel("p")).toBe(true);
  expect(await handle().cancel("p")).toBe(false);
  expect(waits.code).toBe("workflow.cancelled");
  await driver.crash();
  await driver.world.pass(10_000);
  expect(await handle().get("p")).toMatchObject({ state: "cancelled" });
  expect(ran).toEqual([]);
});

test("who waits for an end that this life of the actor won't see is told so", async () => {
  await using ground = await started();
  const { driver, handle } = ground;
  await handle().start("forever", "f");
  const waits = watch(handle().result("f"));
  await driver.world.idle();
  const { actorId = "" } = await driver.http("POST", "/actor/shop/resolve?key=s", {});
  await driver.runtime.host.sleep(actorId);
  await driver.world.until(() => waits.state !== "pending");
  expect(waits.code).toBe("actor.aborted");
});

test("what isn't there is refused by name", async () => {
  await using ground = await started();
  const { handle } = ground;
  expect(await handle().start("nothing").catch(codeOf)).toBe("workflow.not_declared");
  expect(await handle().start("quick", "").catch(codeOf)).toBe("workflow.invalid_id");
  expect(await handle().result("nobody").catch(codeOf)).toBe("workflow.not_found");
  expect(await handle().get("nobody")).toBeUndefined();
  expect(await handle().big()).toBe("workflow.value_too_large");
  const plain = actor({ actions: { start: (c) => c.workflows.start("x").catch(codeOf) } });
  await using driver = await Driver.start({ plain });
  expect(await driver.client().plain.getOrCreate("p").start()).toBe("workflow.unavailable");
});

test("past the limit of those that go on none is started; past that of those that have ended the oldest goes", async () => {
  await using ground = await started();
  const { driver, handle } = ground;
  expect(await handle().startMany("forever", limits.workflowsActive)).toBeUndefined();
  expect(await handle().start("quick", "one more").catch(codeOf)).toBe("workflow.too_many");
  for (const n of [0, 1]) await handle().cancel(`forever ${n}`);
  expect(await handle().startMany("quick", 1)).toBeUndefined();
  await using second = await started();
  expect(await second.handle().startMany("quick", limits.workflowsEnded)).toBeUndefined();
  await second.driver.world.pass(10);
  expect(await second.handle().get("quick 0")).toMatchObject({ state: "completed", output: 0 });
  await second.handle().start("quick", "one more");
  await second.driver.world.pass(10);
  expect(await second.handle().get("quick 0")).toBeUndefined();
  expect(await second.handle().get("quick 1")).toMatchObject({ output: 1 });
  expect(driver.runtime.host.size).toBe(1);
});

test("a history has a limit of entries, and of bytes: the workflow fails by name", async () => {
  const long = actor({
    run: workflow(async () => {}, {
      workflows: {
        entries: async (ctx) => {
          for (let n = 0; ; n += 1) await ctx.step({ name: `${n}`, ephemeral: true, run: async () => n });
        },
        bytes: async (ctx) => {
          const value = "x".repeat(limits.workflowValueBytes - 100);
          for (let n = 0; ; n += 1) await ctx.step({ name: `${n}`, ephemeral: true, run: async () => value });
        },
        value: async (ctx) => {
          const value = "x".repeat(limits.workflowValueBytes);
          await ctx.step("large", async () => value);
        },
      },
    }),
    actions: {
      run: async (c, name: string) => {
        await c.workflows.start(name, { id: name });
        return await c.workflows.result(name).catch(() => c.workflows.get(name));
      },
    },
  });
  await using driver = await Driver.start({ long });
  const handle = driver.client().long.getOrCreate("l");
  for (const name of ["entries", "bytes"]) {
    const info = await handle.run(name);
    expect(info).toMatchObject({ state: "failed" });
    expect(JSON.stringify(info)).toContain("history_full");
  }
  expect(await handle.run("value")).toMatchObject({
    error: { metadata: { error: { metadata: { code: "value_too_large" } } } },
  });
});
