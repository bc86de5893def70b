/**
 * A server with one workflow of many steps, to be killed: `node --conditions=troupe-source workflow-server.ts DATA_DIRECTORY FILE`
 *
 * Each step says so outside, in a file, waits a little, and then writes what only counts with its result.
 */
import { appendFileSync } from "node:fs";
import { flushCompileCache } from "node:module";
import { actor, setup } from "troupe";
import { Loop, workflow } from "troupe/workflow";

export const ROUNDS = 40;
export const STEPS = ROUNDS * 2 + 1;

const [dataDir = "", file = ""] = process.argv.slice(2);

const walker = actor({
  state: { done: [] as string[] },
  options: { sleepTimeout: 100 },
  run: workflow(async (ctx) => {
    await ctx.loop({
      name: "rounds",
      state: 0,
      run: async (round, number: number) => {
        for (const foot of ["left", "right"]) {
          await round.step(foot, async (step) => {
            appendFileSync(file, `${number} ${foot}\n`);
            await new Promise((resolve) => setTimeout(resolve, 4));
            step.state.done.push(`${number} ${foot}`);
          });
        }
        if (number % 10 === 5) await round.sleep("a rest", 150);
        return number + 1 < ROUNDS ? Loop.continue(number + 1) : Loop.break(number);
      },
    });
    await ctx.step("arrive", async (step) => {
      appendFileSync(file, "arrived\n");
      step.state.done.push("arrived");
    });
  }),
  actions: {
    done: (c) => c.state.done,
    state: async (c) => (await c.workflows.get(c.actorId))?.state,
  },
});

export const registry = setup({ use: { walker } });

if (import.meta.main) {
  // This process ends by a kill, which would leave the cache unwritten.
  flushCompileCache();
  const server = await registry.start({ port: 0, dataDir, durability: "commit" });
  console.log(`ready ${server.endpoint}`);
}
