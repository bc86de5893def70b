/** Steps: their results, their effects, their failures; over sleeps and crashes. */
import { actor, workflow } from "@troupe/runtime";
import { expect, test } from "vitest";
import { Driver } from "../driver/driver.ts";
import { Latch } from "../driver/watch.ts";

/** How often the code of each step ran: outside of the actor, so that no crash undoes it. */
let ran: string[] = [];
let gate = new Latch();

const order = actor({
  state: { log: [] as string[] },
  options: { sleepTimeout: 1_000, sleepGracePeriod: 500 },
  run: workflow(async (ctx) => {
    const id = await ctx.step("reserve", async (step) => {
      ran.push("reserve");
      step.state.log.push("reserved");
      return { seat: 7 };
    });
    await ctx.sleep("a while", 10_000);
    await ctx.step("pay", async (step) => {
      ran.push("pay");
      await gate.promise;
      step.state.log.push(`paid for ${id.seat}`);
    });
    return "done";
  }),
  actions: {
    log: (c) => c.state.log,
    info: async (c) => await c.workflows.get(c.actorId),
  },
});

async function started() {
  ran = [];
  gate = new Latch();
  const driver = await Driver.start({ order });
  return {
    driver,
    handle: () => driver.client().order.getOrCreate("o"),
    [Symbol.asyncDispose]: () => driver[Symbol.asyncDispose](),
  };
}

test("steps run once each, in order, over the actor's sleep: it wakes by itself for the sleep's end", async () => {
  await using ground = await started();
  const { driver, handle } = ground;
  gate.open();
  await handle().log();
  await driver.world.idle();
  expect(await handle().log()).toEqual(["reserved"]);
  await driver.world.pass(2_000);
  expect(driver.runtime.host.size).toBe(0);
  await driver.world.pass(8_001);
  expect(driver.runtime.host.size).toBe(1);
  expect(await handle().log()).toEqual(["reserved", "paid for 7"]);
  expect(ran).toEqual(["reserve", "pay"]);
  expect(await handle().info()).toMatchObject({ state: "completed", output: "done" });
});

test("a crash in a step repeats that step and no other; the next process goes on by itself", async () => {
  await using ground = await started();
  const { driver, handle } = ground;
  await handle().log();
  await driver.world.pass(10_001);
  expect(ran).toEqual(["reserve", "pay"]);
  await driver.crash();
  gate.open();
  await driver.world.pass(1);
  expect(ran).toEqual(["reserve", "pay", "pay"]);
  expect(await handle().log()).toEqual(["reserved", "paid for 7"]);
  expect(await handle().info()).toMatchObject({ state: "completed" });
  await driver.restart();
  await driver.world.pass(60_000);
  expect(driver.runtime.host.size).toBe(0);
  expect(ran).toHaveLength(3);
});
