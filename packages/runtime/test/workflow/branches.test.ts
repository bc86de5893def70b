/** Joins and races: strands beside each other, over sleeps and crashes. */
import { actor, queue, type WorkflowContext, workflow } from "@troupe/runtime";
import { expect, test } from "vitest";
import { Driver } from "../driver/driver.ts";
import { Latch } from "../driver/watch.ts";

let ran: string[] = [];
let gate = new Latch();

/** An actor whose workflow is `code`. */
function desk(code: (ctx: WorkflowContext) => Promise<unknown>) {
  ran = [];
  gate = new Latch();
  return actor({
    queues: { answers: queue<string>() },
    options: { sleepTimeout: 1_000, sleepGracePeriod: 100 },
    run: workflow((ctx) => code(ctx as WorkflowContext)),
    actions: {
      wake: () => {},
      info: async (c) => await c.workflows.get(c.actorId),
      awake: (c) => [...c.awakeReasons],
    },
  });
}

const note = (what: string) => async (): Promise<string> => {
  ran.push(what);
  return what;
};

test("a join is through when all are: over a sleep, and a crash repeats no step", async () => {
  const use = desk((ctx) =>
    ctx.join("all", {
      quick: { run: (branch) => branch.step("do", note("quick")) },
      late: {
        run: async (branch) => {
          await branch.sleep("a while", 5_000);
          return await branch.step("do", note("late"));
        },
      },
    }),
  );
  await using driver = await Driver.start({ desk: use });
  const handle = () => driver.client().desk.getOrCreate("d");
  await handle().wake();
  await driver.world.pass(2_000);
  expect(driver.runtime.host.size).toBe(0);
  await driver.crash();
  await driver.world.pass(3_001);
  expect(await handle().info()).toMatchObject({
    state: "completed",
    output: { quick: "quick", late: "late" },
  });
  expect(ran).toEqual(["quick", "late"]);
});

test("a branch that fails fails the join, when the others are through", async () => {
  const use = desk((ctx) =>
    ctx.join("all", {
      bad: {
        run: async () => {
          throw new Error("no");
        },
      },
      good: { run: (branch) => branch.step("do", note("good")) },
    }),
  );
  await using driver = await Driver.start({ desk: use });
  const handle = driver.client().desk.getOrCreate("d");
  await handle.wake();
  await driver.world.pass(10);
  expect(ran).toEqual(["good"]);
  expect(await handle.info()).toMatchObject({
    state: "failed",
    error: { metadata: { code: "join_failed", name: "all", errors: { bad: { message: "no" } } } },
  });
});

/** A message, or ten seconds. */
const raced = (ctx: WorkflowContext) =>
  ctx.race("first", [
    { name: "answer", run: async (branch) => (await branch.queue.next("wait", { names: ["answers"] })).body },
    {
      name: "time",
      run: async (branch) => {
        await branch.sleep("ten seconds", 10_000);
        return await branch.step("late", note("late"));
      },
    },
  ]);

test("a race is won by what comes first: the message, which wakes the actor", async () => {
  await using driver = await Driver.start({ desk: desk(raced) });
  const handle = () => driver.client().desk.getOrCreate("d");
  await handle().wake();
  await driver.world.pass(2_000);
  expect(driver.runtime.host.size).toBe(0);
  await handle().send("answers", "yes");
  await driver.world.idle();
  expect(await handle().info()).toMatchObject({ output: { winner: "answer", value: "yes" } });
  await driver.crash();
  await driver.world.pass(60_000);
  expect(ran).toEqual([]);
  expect(driver.runtime.host.size).toBe(0);
});

test("a race is won by what comes first: the time, and a message behind it stays in its queue", async () => {
  await using driver = await Driver.start({ desk: desk(raced) });
  const handle = () => driver.client().desk.getOrCreate("d");
  await handle().wake();
  await driver.world.pass(10_001);
  await handle().send("answers", "too late");
  expect(await handle().info()).toMatchObject({ output: { winner: "time", value: "late" } });
  expect(ran).toEqual(["late"]);
});

test("a step of the branch that lost runs to its end, and its result is nobody's", async () => {
  let aborted = false;
  const use = desk(async (ctx) => {
    const { winner } = await ctx.race("first", [
      {
        name: "slow",
        run: (branch) =>
          branch.step("hangs", async (step) => {
            step.abortSignal.addEventListener("abort", () => {
              aborted = true;
            });
            await gate.promise;
            ran.push("hangs");
          }),
      },
      { name: "quick", run: (branch) => branch.sleep("a bit", 50) },
    ]);
    return await ctx.step("behind", note(winner));
  });
  await using driver = await Driver.start({ desk: use });
  const handle = driver.client().desk.getOrCreate("d");
  await handle.wake();
  await driver.world.pass(60);
  expect([aborted, ran]).toEqual([true, []]);
  gate.open();
  await driver.world.pass(10);
  expect(ran).toEqual(["hangs", "quick"]);
  expect(await handle.info()).toMatchObject({ state: "completed", output: "quick" });
});

test("a race that everybody loses has failed", async () => {
  const use = desk((ctx) =>
    ctx.race("first", [
      {
        name: "a",
        run: async () => {
          throw new Error("not a");
        },
      },
    ]),
  );
  await using driver = await Driver.start({ desk: use });
  const handle = driver.client().desk.getOrCreate("d");
  await handle.wake();
  await driver.world.pass(10);
  expect(await handle.info()).toMatchObject({
    state: "failed",
    error: { metadata: { code: "race_failed", errors: { a: { message: "not a" } } } },
  });
});
