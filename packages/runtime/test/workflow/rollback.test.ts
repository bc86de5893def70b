/** Rollbacks: what a workflow that fails undoes, in which order, and over crashes. */
import { actor, RollbackError, type WorkflowErrorEvent, workflow } from "@troupe/runtime";
import { expect, test } from "vitest";
import { Driver } from "../driver/driver.ts";
import { Latch } from "../driver/watch.ts";

let undone: string[] = [];
let events: WorkflowErrorEvent[] = [];
let gate = new Latch();
let checkpoint = true;
let broken = "";

const trip = actor({
  state: { booked: [] as string[] },
  options: { sleepTimeout: 1_000, sleepGracePeriod: 100 },
  run: workflow(
    async (ctx) => {
      if (checkpoint) await ctx.rollbackCheckpoint("from here");
      for (const what of ["hotel", "flight", "car"])
        await ctx.step({
          name: what,
          run: async (step) => {
            step.state.booked.push(what);
            return `${what} no. 1`;
          },
          rollback: async (step, output) => {
            undone.push(output);
            await gate.promise;
            if (what === broken) throw new Error("can't be undone");
            step.state.booked = step.state.booked.filter((one) => one !== what);
          },
        });
      await ctx.step("decide", async () => {
        throw new RollbackError("the customer is gone");
      });
    },
    { onError: (_c, event) => void events.push(event) },
  ),
  actions: {
    booked: (c) => c.state.booked,
    info: async (c) => await c.workflows.get(c.actorId),
  },
});

async function started() {
  undone = [];
  events = [];
  gate = new Latch();
  checkpoint = true;
  broken = "";
  return await Driver.start({ trip });
}

test("what was done is undone, the newest first, and the workflow has failed", async () => {
  await using driver = await started();
  gate.open();
  const handle = driver.client().trip.getOrCreate("t");
  await handle.booked();
  await driver.world.pass(10);
  expect(undone).toEqual(["car no. 1", "flight no. 1", "hotel no. 1"]);
  expect(await handle.booked()).toEqual([]);
  expect(await handle.info()).toMatchObject({
    state: "failed",
    error: { metadata: { code: "rolled_back" } },
  });
});

test("a crash repeats the rollback that ran, and none that was through", async () => {
  await using driver = await started();
  const first = gate;
  await driver.client().trip.getOrCreate("t").booked();
  await driver.world.idle();
  expect(undone).toEqual(["car no. 1"]);
  gate = new Latch();
  first.open();
  await driver.world.until(() => undone.length === 2);
  await driver.crash();
  gate.open();
  await driver.world.pass(10);
  expect(undone).toEqual(["car no. 1", "flight no. 1", "flight no. 1", "hotel no. 1"]);
  expect(await driver.client().trip.getOrCreate("t").booked()).toEqual([]);
});

test("one that fails ends the rollback: it is told, and what came before stays done", async () => {
  await using driver = await started();
  broken = "flight";
  gate.open();
  const handle = driver.client().trip.getOrCreate("t");
  await handle.booked();
  await driver.world.pass(10);
  expect(await handle.booked()).toEqual(["hotel", "flight"]);
  expect(events).toMatchObject([
    { step: { stepName: "decide", willRetry: false } },
    { rollback: { stepName: "flight", error: { message: "can't be undone" } } },
  ]);
  expect(await handle.info()).toMatchObject({ state: "failed" });
});

test("a rollback without a checkpoint before it is refused before the step runs", async () => {
  await using driver = await started();
  checkpoint = false;
  const handle = driver.client().trip.getOrCreate("t");
  await handle.booked();
  await driver.world.pass(10);
  expect(await handle.booked()).toEqual([]);
  expect(await handle.info()).toMatchObject({
    state: "diverged",
    error: { metadata: { code: "rollback_checkpoint_missing", step: "hotel" } },
  });
});
