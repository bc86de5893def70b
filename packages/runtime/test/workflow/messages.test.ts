/** Messages that workflows take: neither lost nor doubled, over sleeps and crashes; loops over them. */
import { actor, Loop, queue, type WorkflowContext, workflow } from "@troupe/runtime";
import { expect, test } from "vitest";
import { Driver } from "../driver/driver.ts";
import { codeOf, Latch, watch } from "../driver/watch.ts";

let gate = new Latch();
let ran: string[] = [];

/** Adds up what it is sent; at 0 it ends. */
const adder = actor({
  state: { sums: [] as number[] },
  queues: { numbers: queue<number>() },
  options: { sleepTimeout: 1_000, sleepGracePeriod: 100 },
  run: workflow((ctx) =>
    ctx.loop({
      name: "numbers",
      state: { sum: 0 },
      historySize: 3,
      historyPruneInterval: 3,
      run: async (round, { sum }) => {
        const { body } = await round.queue.next("number", { names: ["numbers"] });
        if (body === 0) return Loop.break(sum);
        await round.step("add", async (step) => {
          ran.push(`add ${body}`);
          await gate.promise;
          step.state.sums.push(sum + body);
        });
        return Loop.continue({ sum: sum + body });
      },
    }),
  ),
  actions: {
    sums: (c) => c.state.sums,
    info: async (c) => await c.workflows.get(c.actorId),
  },
});

async function started() {
  gate = new Latch();
  ran = [];
  const driver = await Driver.start({ adder });
  return {
    driver,
    handle: () => driver.client().adder.getOrCreate("a"),
    [Symbol.asyncDispose]: () => driver[Symbol.asyncDispose](),
  };
}

test("a message wakes the actor that sleeps at its wait; its loop goes on with its own state", async () => {
  await using ground = await started();
  const { driver, handle } = ground;
  gate.open();
  for (const number of [1, 2, 3, 4, 5, 6, 7]) {
    await handle().send("numbers", number);
    await driver.world.pass(2_000);
    expect(driver.runtime.host.size).toBe(0);
  }
  expect(await handle().sums()).toEqual([1, 3, 6, 10, 15, 21, 28]);
  await handle().send("numbers", 0);
  await driver.world.idle();
  expect(await handle().info()).toMatchObject({ state: "completed", output: 28 });
});

test("a crash behind the receipt of a message gives the same message again, and the queue hasn't got it any more", async () => {
  await using ground = await started();
  const { driver, handle } = ground;
  for (const number of [1, 2]) await handle().send("numbers", number);
  await driver.world.idle();
  await driver.crash();
  gate.open();
  await driver.world.pass(10);
  expect(ran).toEqual(["add 1", "add 1", "add 2"]);
  expect(await handle().sums()).toEqual([1, 3]);
});

test("old rounds of a loop are removed: its rows stay few", async () => {
  await using ground = await started();
  const { driver, handle } = ground;
  gate.open();
  for (let number = 1; number <= 50; number += 1) await handle().send("numbers", 1);
  await driver.world.pass(10);
  expect((await handle().sums()).length).toBe(50);
  const live = new Set<string>();
  for (const { key, value } of driver.takeBatches().flat()) {
    if (value === null) live.delete(key);
    else live.add(key);
  }
  // Five rounds at the most, of two entries each, and the loop.
  expect([...live].filter((key) => key.startsWith("~w:h:")).length).toBeLessThanOrEqual(11);
});

/** An actor whose workflow is `code`. */
function desk(code: (ctx: WorkflowContext) => Promise<unknown>) {
  gate = new Latch();
  return actor({
    queues: { jobs: queue<string, string>(), more: queue<string>() },
    options: { sleepTimeout: 1_000, sleepGracePeriod: 100 },
    run: workflow((ctx) => code(ctx as WorkflowContext)),
    actions: {
      wake: () => {},
      info: async (c) => await c.workflows.get(c.actorId),
      left: async (c) => (await c.queue.tryNext({ names: ["jobs"] }))?.body,
    },
  });
}

test("the sender of a message that is to be completed waits for it, over a crash; nobody else gets the message", async () => {
  const use = desk(async (ctx) => {
    const job = await ctx.queue.next("job", { names: ["jobs"], completable: true });
    await ctx.step("work", async () => await gate.promise);
    await job.complete(`${job.body}, done` as never);
    await job.complete("twice is once" as never);
  });
  await using driver = await Driver.start({ desk: use });
  const path = "/actor/desk/queue/jobs?key=d";
  const sent = { body: "wash", wait: true, ticket: "t" };
  const lost = watch(driver.http("POST", path, sent));
  await driver.world.idle();
  const handle = () => driver.client().desk.getOrCreate("d");
  expect(await handle().left()).toBeUndefined();
  await driver.crash();
  expect(lost.state).not.toBe("resolved");
  const again = watch(driver.http("POST", path, sent));
  await driver.world.idle();
  expect(again.state).toBe("pending");
  gate.open();
  await driver.world.until(() => again.state !== "pending");
  expect(again.value?.output).toEqual({ status: "completed", response: "wash, done" });
});

test("nothing more before the last one is completed", async () => {
  const use = desk(async (ctx) => {
    await ctx.queue.next("one", { names: ["jobs"], completable: true });
    return await ctx.queue.next("two", { names: ["jobs"] }).catch(codeOf);
  });
  await using driver = await Driver.start({ desk: use });
  const handle = driver.client().desk.getOrCreate("d");
  await handle.send("jobs", "a");
  await driver.world.pass(10);
  expect(await handle.info()).toMatchObject({ output: "queue.previous_message_not_completed" });
});

test("a wait with a time runs on while the actor sleeps: none of a batch, an error for one", async () => {
  const use = desk(async (ctx) => {
    const none = await ctx.queue.nextBatch("some", { names: ["jobs"], timeout: 5_000, count: 5 });
    const now = await ctx.queue.nextBatch("now", { names: ["jobs"], timeout: 0 });
    const error = await ctx.queue.next("one", { names: ["jobs"], timeout: 2_000 }).catch(codeOf);
    const wrong = await ctx.queue.next("wrong", { names: ["nobody's"] }).catch(codeOf);
    const odd = await ctx.queue.next("odd", { timeout: -1 }).catch(codeOf);
    return { none: none.length, now: now.length, error, wrong, odd };
  });
  await using driver = await Driver.start({ desk: use });
  const handle = () => driver.client().desk.getOrCreate("d");
  await handle().wake();
  await driver.world.pass(3_000);
  await driver.crash();
  await driver.world.pass(1_990);
  expect(await handle().info()).toMatchObject({ state: "running" });
  await driver.world.pass(2_100);
  expect(await handle().info()).toMatchObject({
    output: {
      none: 0,
      now: 0,
      error: "queue.timed_out",
      wrong: "queue.not_found",
      odd: "queue.invalid_option",
    },
  });
});

test("what a step sends is in the queue with its result, once", async () => {
  const use = desk(async (ctx) => {
    await ctx.step("send", async (step) => {
      await step.queue.send("jobs", "sent");
    });
    return (await ctx.queue.nextBatch("sent", { names: ["jobs"], count: 9 })).map(({ body }) => body);
  });
  await using driver = await Driver.start({ desk: use });
  const handle = driver.client().desk.getOrCreate("d");
  await handle.wake();
  await driver.world.pass(10);
  expect(await handle.info()).toMatchObject({ output: ["sent"] });
});

test("a loop that waits for nothing doesn't keep others from their turns", async () => {
  let rounds = 0;
  const use = desk((ctx) =>
    ctx.loop("spin", async () => {
      rounds += 1;
      if (rounds === 200) return Loop.break(rounds);
      return undefined;
    }),
  );
  await using driver = await Driver.start({ desk: use });
  const handle = driver.client().desk.getOrCreate("d");
  await handle.wake();
  expect(rounds).toBeLessThan(200);
  await driver.world.pass(10);
  expect(await handle.info()).toMatchObject({ output: 200 });
});

test("a loop with a state says what becomes of it", async () => {
  const use = desk((ctx) => ctx.loop({ name: "odd", state: 1, run: async () => undefined as never }));
  await using driver = await Driver.start({ desk: use });
  const handle = driver.client().desk.getOrCreate("d");
  await handle.wake();
  await driver.world.pass(10);
  expect(await handle.info()).toMatchObject({ error: { metadata: { code: "loop_result_missing" } } });
});
