/** Workflows in the inspector: those of an actor that sleeps, without waking it. */
import { actor, Loop, queue, workflow } from "@troupe/runtime";
import { expect, test } from "vitest";
import { inspected, look } from "../inspector/ground.ts";

const desk = actor({
  queues: { jobs: queue<string>() },
  options: { sleepTimeout: 1_000 },
  run: workflow(
    async (ctx) => {
      await ctx.step("first", async () => "secret");
      await ctx.loop({
        name: "jobs",
        state: 0,
        run: async (round, state: number) => {
          await round.queue.next("job", { names: ["jobs"] });
          return Loop.continue(state + 1);
        },
      });
    },
    {
      workflows: {
        quick: async () => "done",
        race: async (ctx) => {
          await ctx.race("first", [{ name: "only", run: async () => 1 }]);
          await ctx.child("child", { workflow: "quick" });
          throw new Error("broken");
        },
      },
    },
  ),
  actions: { start: async (c, name: string) => (await c.workflows.start(name, { id: name })).id },
});

test("workflows and their histories are shown in pages, with how they stand and without what is in them", async () => {
  await using driver = await inspected({ desk });
  for (const name of ["quick", "race"]) await driver.act("desk?key=d", "start", name);
  await driver.http("POST", "/actor/desk/queue/jobs?key=d", { body: "one" });
  const { actorId = "" } = await driver.http("POST", "/actor/desk/resolve?key=d", {});
  await driver.world.pass(5_000);
  expect(driver.runtime.host.size).toBe(0);
  const first = await look(driver, `/actors/${actorId}/workflows?limit=3`);
  const rest = await look(
    driver,
    `/actors/${actorId}/workflows?after=${encodeURIComponent(first.body.next)}`,
  );
  expect([...first.body.workflows, ...rest.body.workflows]).toMatchObject([
    { id: actorId, workflow: "", state: "running" },
    { id: "quick", state: "completed" },
    { id: "race", state: "failed", error: "broken" },
    { id: "race/child", workflow: "quick", state: "completed" },
  ]);
  const history = await look(driver, `/actors/${actorId}/workflow-history?prefix=${actorId}`);
  expect(history.body.entries).toMatchObject([
    { location: "first", kind: "step", status: "completed", attempts: 1 },
    { location: "jobs", kind: "loop", round: 1, done: false },
    { location: "jobs/#0/job", kind: "message", messages: [{ id: 1, queue: "jobs" }] },
  ]);
  expect(JSON.stringify(history.body)).not.toContain("secret");
  const race = await look(driver, `/actors/${actorId}/workflow-history?prefix=race&limit=1`);
  expect(race.body).toMatchObject({
    entries: [{ kind: "child", id: "race/child", done: true }],
    next: "child",
  });
  expect(driver.runtime.host.size).toBe(0);
});
