/** Messages that must be completed: delivered until they are, or until they are given up; and the replies to them. */
import { limits } from "@troupe/protocol";
import { actor, queue } from "@troupe/runtime";
import { expect, test } from "vitest";
import { Driver } from "../driver/driver.ts";
import { codeOf, Latch, rejection, watch } from "../driver/watch.ts";

type Job = { n: number };
let gate = new Latch();

/** Answers `n * 10`; fails as often as the job says. */
const worker = actor({
  state: { tries: [] as string[] },
  queues: {
    jobs: queue<{ n: number; failures?: number }, number>({ maxAttempts: 3, retryDelay: 100 }),
    held: queue<Job, string>({ visibilityTimeout: 1_000, retryDelay: 0 }),
  },
  options: { sleepTimeout: 60_000, sleepGracePeriod: 500 },
  run: async (c) => {
    for await (const job of c.queue.iter({ names: ["jobs"], completable: true })) {
      c.state.tries.push(`${job.body.n}:${job.attempts}`);
      await gate.promise;
      if (job.attempts <= (job.body.failures ?? 0)) await job.retry();
      else await job.complete(job.body.n * 10);
    }
  },
  actions: {
    tries: (c) => c.state.tries,
    take: async (c) => {
      const message = await c.queue.tryNext({ names: ["held"], completable: true });
      return message && { n: message.body.n, id: message.id, attempts: message.attempts };
    },
    hang: async (c) => {
      const message = await c.queue.tryNext({ names: ["held"], completable: true });
      await gate.promise;
      return [await message?.complete("late").catch(codeOf), await message?.retry().catch(codeOf)];
    },
    twice: async (c) => {
      const first = await c.queue.tryNext({ names: ["held"], completable: true });
      const refused = await c.queue.tryNext({ names: ["held"] }).catch(codeOf);
      await first?.complete("done");
      const again = await first?.complete("again").catch(codeOf);
      const next = await c.queue.tryNext({ names: ["held"] });
      return [refused, again, next?.body.n];
    },
    finish: (c, id: number, reply: string) => c.queue.complete({ id, name: "held" }, reply).catch(codeOf),
    ask: async (c, n: number) => await c.queue.enqueueAndWait("jobs", { n }),
    askInVain: async (c) => await c.queue.enqueueAndWait("held", { n: 1 }, { timeout: 20 }).catch(codeOf),
    letters: (c) => c.queue.deadLetters.list(),
    redrive: (c, id: number) => c.queue.deadLetters.redrive(id),
    remove: (c, id: number) => c.queue.deadLetters.remove(id),
    nap: (c) => c.sleep(),
  },
});

async function started() {
  gate = new Latch();
  const driver = await Driver.start({ worker });
  return {
    driver,
    handle: () => driver.client().worker.getOrCreate("w"),
    [Symbol.asyncDispose]: () => driver[Symbol.asyncDispose](),
  };
}

test("a sender that waits gets the reply; one that waits too long is told so, and its message stays", async () => {
  await using ground = await started();
  const { driver } = ground;
  const handle = ground.handle();
  const late = watch(handle.send("jobs", { n: 4 }, { wait: true, timeout: 100 }));
  await driver.world.pass(100);
  await driver.world.until(() => late.state !== "pending");
  expect(late.value).toEqual({ status: "timedOut" });
  gate.open();
  expect(await handle.send("jobs", { n: 5 }, { wait: true })).toEqual({
    status: "completed",
    response: 50,
  });
  expect(await handle.send("jobs", { n: 6 })).toBeUndefined();
  expect(await handle.ask(7)).toBe(70);
  const asked = watch(handle.askInVain());
  await driver.world.pass(20);
  await driver.world.until(() => asked.state !== "pending");
  expect(asked.value).toBe("queue.timed_out");
  expect(await handle.tries()).toEqual(["4:1", "5:1", "6:1", "7:1"]);
});

test("over a connection sends and actions are in order, and a reply is found again on the next link", async () => {
  await using ground = await started();
  const { driver, handle } = ground;
  const conn = handle().connect();
  const waiting = watch(conn.send("jobs", { n: 1 }, { wait: true }));
  await conn.send("jobs", { n: 2 });
  await handle().nap();
  // The run hangs, and is left behind.
  await driver.world.pass(500);
  gate.open();
  await driver.world.pass(20_000);
  await driver.world.until(() => waiting.state !== "pending");
  expect(waiting.value).toEqual({ status: "completed", response: 10 });
  expect(await handle().tries()).toEqual(["1:1", "1:2", "2:1"]);
});

test("the reply survives the end of whoever gives it: a sender that comes again finds its message, or its reply", async () => {
  await using ground = await started();
  const { driver } = ground;
  const path = "/actor/worker/queue/jobs?key=w";
  const body = { body: { n: 8 }, wait: true, ticket: "t-1" };
  const first = watch(driver.http("POST", path, body));
  await driver.world.idle();
  const slept = driver.http("POST", "/actor/worker/action/nap?key=w", {});
  await driver.world.until(() => first.state !== "pending");
  expect(first.value?.error).toMatchObject({ code: "stopping", retryable: true });
  await slept;
  await driver.world.pass(500);
  const again = watch(driver.http("POST", path, body));
  await driver.world.idle();
  gate.open();
  await driver.world.until(() => again.state !== "pending");
  expect(again.value?.output).toEqual({ status: "completed", response: 80 });
  await driver.crash();
  const last = await driver.http("POST", path, body);
  expect(last.output).toEqual({ status: "completed", response: 80 });
});

test("a message that fails is delivered again, later and later, and is a dead letter then", async () => {
  await using ground = await started();
  const { driver, handle } = ground;
  gate.open();
  const sent = watch(handle().send("jobs", { n: 1, failures: 9 }, { wait: true }));
  await driver.world.idle();
  await handle().send("jobs", { n: 2 });
  await driver.world.pass(99);
  expect(await handle().tries()).toEqual(["1:1", "2:1"]);
  await driver.world.pass(1);
  expect(await handle().tries()).toEqual(["1:1", "2:1", "1:2"]);
  await driver.world.pass(199);
  expect(await handle().tries()).toHaveLength(3);
  await driver.world.pass(1);
  await driver.world.until(() => sent.state !== "pending");
  expect(sent.code).toBe("queue.dead_lettered");
  expect(await handle().letters()).toMatchObject([{ id: 1, name: "jobs", attempts: 3, body: { n: 1 } }]);
});

test("what waits to be delivered again outlives its process, and wakes its actor", async () => {
  await using ground = await started();
  const { driver, handle } = ground;
  gate.open();
  await handle().send("jobs", { n: 1, failures: 1 });
  await driver.world.idle();
  await driver.restart();
  await driver.world.pass(99);
  expect(driver.runtime.host.size).toBe(0);
  await driver.world.pass(2);
  expect(driver.runtime.host.size).toBe(1);
  expect(await handle().tries()).toEqual(["1:1", "1:2"]);
});

test("dead letters are listed, sent anew and thrown away", async () => {
  await using ground = await started();
  const { driver, handle } = ground;
  gate.open();
  for (const n of [1, 2]) await handle().send("jobs", { n, failures: 3 });
  await driver.world.pass(1_000);
  await driver.crash();
  expect((await handle().letters()).map(({ id }) => id)).toEqual([1, 2]);
  expect(await handle().redrive(1)).toBe(true);
  expect(await handle().remove(2)).toBe(true);
  expect([await handle().redrive(1), await handle().remove(2)]).toEqual([false, false]);
  expect(await handle().letters()).toEqual([]);
  expect((await handle().tries()).at(-1)).toBe("1:1");
});

test("past the limit the oldest dead letter goes", async () => {
  const doomed = actor({
    queues: { jobs: queue<number>({ maxAttempts: 1 }) },
    options: { maxQueueSize: 5_000 },
    actions: {
      fail: async (c, count: number) => {
        for (let n = 0; n < count; n += 1) await c.queue.send("jobs", n);
        for (;;) {
          const message = await c.queue.tryNext({ completable: true });
          if (message === undefined) return;
          await message.retry();
        }
      },
      letters: async (c) => {
        const page = await c.queue.deadLetters.list({ limit: 2 });
        return page.map(({ id }) => id);
      },
    },
  });
  await using driver = await Driver.start({ doomed });
  const handle = driver.client().doomed.getOrCreate("d");
  await handle.fail(limits.queueDeadLetters);
  expect(await handle.letters()).toEqual([1, 2]);
  await handle.fail(1);
  await driver.world.idle();
  expect(await handle.letters()).toEqual([2, 3]);
  expect(driver.world.logged("error", "a dead letter was dropped")).toHaveLength(1);
});

test("a handler that ends without completing its message has failed; one that takes too long isn't waited for", async () => {
  await using ground = await started();
  const { driver, handle } = ground;
  await handle().send("held", { n: 1 });
  expect(await handle().take()).toEqual({ n: 1, id: 1, attempts: 1 });
  await driver.world.pass(1);
  const hanging = watch(handle().hang());
  await driver.world.pass(999);
  expect(await handle().take()).toBeUndefined();
  await driver.world.pass(2);
  expect(await handle().take()).toEqual({ n: 1, id: 1, attempts: 3 });
  gate.open();
  await driver.world.until(() => hanging.state !== "pending");
  expect(hanging.value).toEqual(["queue.delivery_over", "queue.delivery_over"]);
});

test("nothing more before the last one is completed, and nothing twice", async () => {
  await using ground = await started();
  const { handle } = ground;
  for (const n of [1, 2]) await handle().send("held", { n });
  expect(await handle().twice()).toEqual([
    "queue.previous_message_not_completed",
    "queue.already_completed",
    2,
  ]);
  await handle().send("held", { n: 3 });
  expect(await handle().finish(3, "by its id")).toBeUndefined();
  expect(await handle().finish(3, "again")).toBe("queue.already_completed");
  expect(await handle().take()).toBeUndefined();
});

test("a sender of an actor that is gone for good is told so", async () => {
  const short = actor({
    queues: { jobs: queue<number>() },
    actions: { end: (c) => c.destroy() },
  });
  await using driver = await Driver.start({ short });
  const handle = driver.client().short.getOrCreate("s");
  const sent = watch(handle.send("jobs", 1, { wait: true }));
  await driver.world.idle();
  await handle.end();
  await driver.world.until(() => sent.state !== "pending");
  expect(sent.code).toBe("actor.stopped");
  expect(await rejection(driver.client().short.get("s").send("jobs", 1))).toBe("actor.not_found");
});

test("past the limit the oldest reply is forgotten: its sender's message is a new one then", async () => {
  const counter = actor({
    state: { count: 0 },
    queues: { jobs: queue<number>() },
    run: async (c) => {
      for await (const job of c.queue.iter({ completable: true })) {
        c.state.count += 1;
        await job.complete(c.state.count);
      }
    },
    actions: {},
  });
  await using driver = await Driver.start({ counter });
  const send = async (ticket: number) => {
    const answer = await driver.http("POST", "/actor/counter/queue/jobs", {
      body: 1,
      wait: true,
      ticket: `t${ticket}`,
    });
    return (answer.output as { response: number }).response;
  };
  for (let ticket = 1; ticket <= limits.queueReplies; ticket += 1) expect(await send(ticket)).toBe(ticket);
  expect(await send(1)).toBe(1);
  expect(await send(0)).toBe(limits.queueReplies + 1);
  expect(await send(1)).toBe(limits.queueReplies + 2);
});

test("an actor sends to another one, and waits for its reply over the other one's sleep", async () => {
  const types: { readonly "~types"?: { readonly use: { readonly worker: typeof worker } } } = {};
  const boss = actor({
    actions: {
      order: async (c, n: number) => {
        const other = c.client<typeof types>().worker.getOrCreate(["w"]);
        await other.send("jobs", { n: n + 1 });
        return await other.send("jobs", { n }, { wait: true });
      },
    },
  });
  gate = new Latch();
  await using driver = await Driver.start({ worker, boss });
  const asked = watch(driver.client().boss.getOrCreate("b").order(3));
  await driver.world.idle();
  await driver.client().worker.getOrCreate("w").nap();
  await driver.world.pass(500);
  gate.open();
  await driver.world.pass(5_000);
  await driver.world.until(() => asked.state !== "pending");
  expect(asked.value).toEqual({ status: "completed", response: 30 });
  expect(await driver.client().worker.getOrCreate("w").tries()).toEqual(["4:1", "4:2", "3:1"]);
});
