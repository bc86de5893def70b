/** Messages and those who take them: order, waits, and what is stored together with what. */
import { limits } from "@troupe/protocol";
import { actor, queue } from "@troupe/runtime";
import { expect, test } from "vitest";
import { Driver } from "../driver/driver.ts";
import { Latch, watch } from "../driver/watch.ts";

type Job = { n: number };

/** Takes jobs by itself, as long as it is awake. */
const worker = actor({
  state: { done: [] as number[], slept: 0 },
  queues: { jobs: queue<Job>(), other: queue<Job>() },
  options: { sleepTimeout: 1_000 },
  run: async (c) => {
    for await (const job of c.queue.iter({ names: ["jobs"] })) c.state.done.push(job.body.n);
  },
  onSleep: (c) => {
    c.state.slept += 1;
  },
  actions: {
    done: (c) => c.state.done,
    slept: (c) => c.state.slept,
    awake: (c) => [...c.awakeReasons],
    take: async (c) => (await c.queue.tryNext({ names: ["other"] }))?.body.n,
  },
});

let gate = new Latch();

/** A worker that takes its time. */
const slow = actor({
  state: { done: [] as number[] },
  queues: { jobs: queue<Job>() },
  options: { sleepTimeout: 1_000, sleepGracePeriod: 500 },
  run: async (c) => {
    for (;;) {
      const job = await c.queue.next();
      await gate.promise;
      if (job !== undefined) c.state.done.push(job.body.n);
    }
  },
  actions: { done: (c) => c.state.done },
});

/** Takes what its callers tell it to. */
const desk = actor({
  state: { seen: [] as number[] },
  queues: { a: queue<Job>(), b: queue<Job>() },
  actions: {
    fill: (c, name: "a" | "b", from: number, count: number) => {
      for (let n = from; n < from + count; n += 1) void c.queue.send(name, { n });
    },
    take: async (c, names: ("a" | "b")[], count: number, timeout = 0) => {
      const messages = await c.queue.nextBatch({ names, count, timeout });
      return messages.map(({ name, body }) => `${name}${body.n}`);
    },
    waitFor: async (c, names: ("a" | "b")[], timeout?: number) =>
      (await c.queue.next({ names, ...(timeout === undefined ? {} : { timeout }) }))?.body.n,
    atOnce: async (c, names: ("a" | "b")[]) => (await c.queue.waitForNames(names, { timeout: 5 })).body.n,
    work: async (c) => {
      for (;;) {
        const message = await c.queue.tryNext();
        if (message === undefined) return c.state.seen;
        c.state.seen.push(message.body.n);
      }
    },
    hold: async (c) => {
      const message = await c.queue.tryNext();
      c.state.seen.push(message?.body.n ?? -1);
      await c.saveState({ immediate: true });
      await new Promise(() => {});
    },
    given: async (c) => {
      const abort = new AbortController();
      const waiting = c.queue.next({ signal: abort.signal });
      abort.abort();
      return await waiting.catch((cause: { code: string }) => cause.code);
    },
    available: async (c) => {
      await c.queue.waitForAvailable(["a"], { timeout: 50 });
      return (await c.queue.tryNext())?.body.n;
    },
    seen: (c) => c.state.seen,
    nap: (c) => c.sleep(),
  },
});

test("messages of all queues come in the order of their sending, those of named ones as well", async () => {
  await using driver = await Driver.start({ desk });
  await driver.act("desk", "fill", "a", 1, 2);
  await driver.act("desk", "fill", "b", 3, 2);
  await driver.act("desk", "fill", "a", 5, 2);
  expect((await driver.act("desk", "take", ["b"], 1)).output).toEqual(["b3"]);
  expect((await driver.act("desk", "take", ["a", "b"], 3)).output).toEqual(["a1", "a2", "b4"]);
  expect((await driver.act("desk", "take", [], 10)).output).toEqual(["a5", "a6"]);
  expect((await driver.act("desk", "take", [], 10)).output).toEqual([]);
});

test("a message that is sent is stored before its sender is told", async () => {
  await using driver = await Driver.start({ desk });
  const handle = driver.client().desk.getOrCreate("k");
  await handle.resolve();
  driver.syncs.hold();
  const sent = watch(handle.send("a", { n: 1 }));
  await driver.world.idle();
  expect(sent.state).toBe("pending");
  driver.syncs.letGo();
  await driver.world.until(() => sent.state === "resolved");
  await driver.crash();
  expect((await driver.act("desk?key=k", "take", ["a"], 9)).output).toEqual(["a1"]);
});

const many = actor({
  state: { next: 0, wrong: "" },
  queues: { jobs: queue<Job>() },
  options: { maxQueueSize: 10_000 },
  actions: {
    fill: async (c, count: number) => {
      for (let n = 0; n < count; n += 1) await c.queue.send("jobs", { n });
    },
    take: async (c, count: number) => {
      for (let left = count; left > 0; ) {
        const messages = await c.queue.tryNextBatch({ count: left });
        if (messages.length === 0) return count - left;
        left -= messages.length;
        for (const { n } of messages.map(({ body }) => body)) {
          if (n !== c.state.next) c.state.wrong ||= `${n} where ${c.state.next} was due`;
          c.state.next = n + 1;
        }
      }
      return count;
    },
    order: (c) => c.state.wrong || "in order",
  },
});

test("more messages than fit into memory come in order, also those of another life", async () => {
  await using driver = await Driver.start({ many });
  const count = limits.queueHeldMessages + 2 * limits.queuePageMessages + 7;
  await driver.act("many", "fill", count);
  await driver.act("many", "take", 1_000);
  await driver.restart();
  expect((await driver.act("many", "take", count)).output).toBe(count - 1_000);
  expect((await driver.act("many", "order")).output).toBe("in order");
});

test("who waits gets the message in the turn in which it comes; the first who wants it", async () => {
  await using driver = await Driver.start({ desk });
  const first = watch(driver.act("desk", "waitFor", ["b"]));
  const second = watch(driver.act("desk", "waitFor", ["a"]));
  const third = watch(driver.act("desk", "waitFor", []));
  await driver.world.idle();
  await driver.act("desk", "fill", "a", 1, 2);
  await driver.world.until(() => second.state !== "pending" && third.state !== "pending");
  expect([second.value?.output, third.value?.output]).toEqual([1, 2]);
  expect(first.state).toBe("pending");
  await driver.act("desk", "fill", "b", 3, 1);
  await driver.world.until(() => first.state !== "pending");
  expect(first.value?.output).toBe(3);
});

test("a wait ends with its time, and with its signal; a message that came is taken by nobody twice", async () => {
  await using driver = await Driver.start({ desk });
  const late = watch(driver.act("desk", "waitFor", ["a"], 50));
  const named = watch(driver.act("desk", "atOnce", ["a"]));
  await driver.world.pass(49);
  expect(late.state).toBe("pending");
  expect(named.value?.code).toBe("queue.timed_out");
  await driver.world.pass(1);
  await driver.world.until(() => late.state !== "pending");
  expect(late.value?.output).toBeUndefined();
  expect((await driver.act("desk", "given")).output).toBe("aborted");
  const there = watch(driver.act("desk", "available"));
  await driver.world.idle();
  await driver.act("desk", "fill", "a", 1, 1);
  await driver.world.until(() => there.state !== "pending");
  expect(there.value?.output).toBe(1);
});

test("what a turn wrote and the end of its message are stored together", async () => {
  await using driver = await Driver.start({ desk });
  await driver.act("desk", "fill", "a", 1, 3);
  driver.syncs.hold();
  const working = watch(driver.act("desk", "work"));
  await driver.world.idle();
  expect(working.state).toBe("pending");
  // The disk has none of it: the three are there again, and nothing that they did.
  await driver.crash();
  expect((await driver.act("desk", "seen")).output).toEqual([]);
  expect((await driver.act("desk", "work")).output).toEqual([1, 2, 3]);
  await driver.crash();
  expect((await driver.act("desk", "work")).output).toEqual([1, 2, 3]);
});

test("a message that was out when the process died comes again, before those behind it", async () => {
  await using driver = await Driver.start({ desk });
  await driver.act("desk", "fill", "a", 1, 2);
  void driver.act("desk", "hold");
  await driver.world.idle();
  await driver.crash();
  expect((await driver.act("desk", "seen")).output).toEqual([1]);
  expect((await driver.act("desk", "take", [], 9)).output).toEqual(["a1", "a2"]);
});

test("a message wakes an actor with run, which may sleep while it waits", async () => {
  await using driver = await Driver.start({ worker });
  const handle = driver.client().worker.getOrCreate("w");
  await handle.send("jobs", { n: 1 });
  await driver.world.idle();
  expect(await handle.awake()).toEqual(["an action in flight"]);
  await driver.world.pass(2_000);
  expect(driver.runtime.host.size).toBe(0);
  await handle.send("jobs", { n: 2 });
  expect(await handle.done()).toEqual([1, 2]);
  expect(await handle.slept()).toBe(1);
});

test("an actor whose process died in the middle of messages is woken for them", async () => {
  await using driver = await Driver.start({ slow });
  gate = new Latch();
  const handle = driver.client().slow.getOrCreate("s");
  await handle.send("jobs", { n: 1 });
  await handle.send("jobs", { n: 2 });
  await driver.crash();
  expect(driver.runtime.host.size).toBe(0);
  gate.open();
  await driver.world.pass(1);
  expect(driver.runtime.host.size).toBe(1);
  await driver.world.pass(5_000);
  expect(driver.runtime.host.size).toBe(0);
  expect(await driver.client().slow.getOrCreate("s").done()).toEqual([1, 2]);
});

test("a stop in the middle of a message leaves it; one in which it was handled doesn't", async () => {
  await using driver = await Driver.start({ slow });
  gate = new Latch();
  const handle = driver.client().slow.getOrCreate("s");
  await handle.send("jobs", { n: 1 });
  const stopping = driver.restart();
  await driver.world.idle();
  gate.open();
  await stopping;
  expect(await driver.client().slow.getOrCreate("s").done()).toEqual([1]);
  gate = new Latch();
  await driver.client().slow.getOrCreate("s").send("jobs", { n: 2 });
  const left = driver.restart();
  await driver.world.idle();
  // Past the grace period: it is left behind.
  await driver.world.pass(1_000);
  await left;
  gate.open();
  await driver.world.pass(1);
  expect(await driver.client().slow.getOrCreate("s").done()).toEqual([1, 2]);
});

test("a message of a queue that run doesn't take wakes nobody", async () => {
  await using driver = await Driver.start({ worker });
  const handle = driver.client().worker.getOrCreate("w");
  await handle.send("other", { n: 7 });
  await driver.world.pass(2_000);
  expect(driver.runtime.host.size).toBe(0);
  await driver.world.pass(60_000);
  expect(await handle.slept()).toBe(1);
  expect(await handle.take()).toBe(7);
});
