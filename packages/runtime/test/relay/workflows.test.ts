/** Workflows under a relay: their scopes and those of their steps, over sleeps, crashes and failures. */
import type { ScopeEvent } from "@troupe/relay";
import { actor, workflow } from "@troupe/runtime";
import { expect, test } from "vitest";
import { Driver } from "../driver/driver.ts";
import { Listener } from "./listener.ts";

/** What happens while an order is paid. */
let whilePaying = (): void => {};

const order = actor({
  state: { paid: 0 },
  options: { sleepTimeout: 1_000 },
  run: workflow(
    async (ctx) => {
      await ctx.step("reserve", async (step) => await step.tool("seat", { row: 1 }, () => 7));
      await ctx.sleep("a while", 10_000);
      await ctx.step("pay", async (step) => {
        step.state.paid += 1;
        whilePaying();
      });
    },
    {
      workflows: {
        ship: async (ctx, input: { fails: boolean }) => {
          await ctx.step("pack", async () => {
            if (input.fails) throw new TypeError("no box");
          });
          return "shipped";
        },
      },
    },
  ),
  actions: {
    paid: (c) => c.state.paid,
    ship: async (c, id: string, fails: boolean) =>
      void (await c.workflows.start("ship", { id, input: { fails } })),
    cancel: async (c) => await c.workflows.cancel(c.actorId),
  },
});

async function ground() {
  const listener = new Listener();
  const driver = await Driver.start({ order }, { relay: listener.relay });
  return { listener, driver };
}

async function lives(listener: Listener, name: string): Promise<ScopeEvent[]> {
  await listener.story();
  return listener.events.filter(
    (event): event is ScopeEvent =>
      event.kind === "scope" && event.scope_category === "start" && event.name === name,
  );
}

test("S5.6 (in part) a step and its tools are below their workflow, whose trace goes on over a sleep and a crash", async () => {
  const { listener, driver } = await ground();
  await using _ = driver;
  await driver.act("order", "paid");
  await driver.world.pass(2_000);
  expect(driver.runtime.host.size).toBe(0);
  const [first] = await lives(listener, "order.run");
  expect(first).toMatchObject({ parent_uuid: null, metadata: { "troupe.kind": "workflow" } });
  const reserve = await listener.start("order.reserve");
  expect(reserve).toMatchObject({ parent_uuid: first?.uuid, metadata: { "troupe.kind": "step" } });
  expect((await listener.start("seat")).parent_uuid).toBe(reserve.uuid);
  expect((await listener.end("order.run")).metadata).toMatchObject({ "troupe.workflow_state": "running" });
  await driver.crash();
  await driver.world.pass(10_001);
  const [, second] = await lives(listener, "order.run");
  expect(second).toMatchObject({ parent_uuid: first?.uuid });
  const pay = await listener.start("order.pay");
  expect(pay.parent_uuid).toBe(second?.uuid);
  const ends = listener.events.filter(({ uuid }) => uuid === second?.uuid);
  expect(ends.at(-1)?.metadata).toMatchObject({
    "otel.status_code": "OK",
    "troupe.workflow_state": "completed",
  });
});

test("a workflow that an action starts is below it; its failure and its cancellation are how it ends", async () => {
  const { listener, driver } = await ground();
  await using _ = driver;
  await driver.act("order", "ship", "one", false);
  await driver.world.idle();
  const shipping = await listener.start("order.ship");
  const [workflowScope] = (await lives(listener, "order.ship")).filter(
    ({ metadata }) => metadata?.["troupe.kind"] === "workflow",
  );
  expect(workflowScope).toMatchObject({
    parent_uuid: shipping.uuid,
    metadata: { "troupe.workflow_id": "one" },
  });
  expect((await listener.start("order.pack")).parent_uuid).toBe(workflowScope?.uuid);
  await listener.forget();
  await driver.act("order", "ship", "two", true);
  await driver.act("order", "cancel");
  await driver.world.pass(600_000);
  const story = await listener.story();
  expect(story).toContain("end order.pack internal_error");
  expect(story.find((line) => line.startsWith("end order.ship w"))).toContain("workflow.");
  expect(story).toContain("end order.run workflow.cancelled");
});

test("a step whose result can't be stored says so, and so does its workflow; each start has its end", async () => {
  const { listener, driver } = await ground();
  await using _ = driver;
  await driver.act("order", "paid");
  await listener.forget();
  whilePaying = () => driver.syncs.failWrites(1);
  await driver.world.pass(10_001);
  whilePaying = () => {};
  const story = await listener.story();
  expect(story).toContain("end order.pay storage.commit_failed");
  await driver.restart();
  await driver.world.pass(60_000);
  await listener.story();
  for (const { uuid, name } of await lives(listener, "order.pay"))
    expect([name, listener.events.filter((event) => event.uuid === uuid).length]).toEqual([name, 2]);
});
