/** Workflows of an actor in an isolate: `troupe/workflow` is there, and its steps are the runtime's rows. */
import { expect, test, vi } from "vitest";
import { dynamicActor } from "../../src/index.ts";
import { DynamicWorld } from "../support/dynamic-world.ts";
import { needsPackage } from "../support/native-package.ts";

needsPackage("isolated-vm");

const source = `
  import { actor } from "troupe";
  import { CriticalError, Loop, RollbackError, workflow } from "troupe/workflow";
  export default actor({
    state: { log: [] },
    run: workflow(async (ctx) => {
      await ctx.rollbackCheckpoint("from here");
      await ctx.loop({ name: "rounds", state: 0, run: async (round, n) => {
        await round.step("note", async (step) => { step.state.log.push(n); });
        return n < 2 ? Loop.continue(n + 1) : Loop.break(n);
      } });
      await ctx.sleep("a moment", 5);
      const tried = await ctx.tryStep("fail", async () => { throw new CriticalError("no"); });
      await ctx.step({
        name: "undone",
        run: async (step) => { step.state.log.push(tried.failure.kind); },
        rollback: async (step) => { step.state.log.push("undone"); },
      });
      throw new RollbackError("back");
    }),
    actions: { log: (c) => c.state.log, info: (c) => c.workflows.get(c.actorId) },
  });
`;

test("an actor in an isolate has workflows, as any other", async () => {
  await using world = await DynamicWorld.start({ it: dynamicActor({ source }) });
  await vi.waitFor(
    async () => expect(await world.act("it", "info")).toMatchObject({ state: "failed" }),
    10_000,
  );
  expect(await world.act("it", "log")).toEqual([0, 1, 2, "critical", "undone"]);
});
