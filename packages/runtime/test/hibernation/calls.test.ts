/** Calls of a connection whose actor falls asleep before it has answered them. */
import { actor, queue } from "@troupe/runtime";
import { expect, test } from "vitest";
import { Driver } from "../driver/driver.ts";
import { Latch, watch } from "../driver/watch.ts";

test("S2.4 (in part) actions that wait for their turn when a serial actor stops are the next activation's, in order", async () => {
  const stuck = new Latch();
  const heard: string[] = [];
  const line = actor({
    options: { concurrency: "serial", sleepGracePeriod: 1_000 },
    actions: {
      hang: () => stuck.promise,
      say: (_c, text: string) => void heard.push(text),
    },
  });
  await using driver = await Driver.start({ line });
  const socket = driver.socket("/actor/line/connect").hello();
  await driver.world.idle();
  const { actorId = "" } = await driver.http("POST", "/actor/line/resolve");
  socket.action(1, "hang").action(2, "say", "a").action(3, "say", "b");
  await driver.world.idle();
  const slept = driver.runtime.host.sleep(actorId);
  await driver.world.idle();
  socket.action(4, "say", "c");
  await driver.world.pass(1_000);
  await slept;
  await driver.world.idle();
  expect(heard).toEqual(["a", "b", "c"]);
  expect(socket.story.filter((line) => line.startsWith("reply"))).toEqual([
    "reply 2 undefined",
    "reply 3 undefined",
    "reply 4 undefined",
  ]);
  expect(socket.closed).toBeUndefined();
  stuck.open();
});

test("an action that a stop leaves behind is answered by its time-out at the latest, and doesn't run again", async () => {
  let begun = 0;
  const hangs = actor({
    options: { sleepGracePeriod: 1_000, actionTimeout: 10_000 },
    actions: {
      hang: () => {
        begun += 1;
        return new Promise(() => {});
      },
      ping: () => "pong",
    },
  });
  await using driver = await Driver.start({ hangs });
  const socket = driver.socket("/actor/hangs/connect").hello().action(1, "hang");
  await driver.world.idle();
  const { actorId = "" } = await driver.http("POST", "/actor/hangs/resolve");
  const slept = driver.runtime.host.sleep(actorId);
  await driver.world.pass(1_000);
  await slept;
  socket.action(2, "ping");
  await driver.world.pass(10_000);
  // Nobody waits for code that was left behind elsewhere: its caller is told at once.
  const elsewhere = ["error 1 actor.stopped", 'reply 2 "pong"'];
  const here = ['reply 2 "pong"', "error 1 actor.action_timed_out"];
  const told = process.env["TROUPE_TEST_CARRIED"] === "1" ? elsewhere : here;
  expect([begun, ...socket.story]).toEqual([1, "welcome", ...told]);
});

const desk = actor({
  options: { sleepTimeout: 1_000 },
  queues: { jobs: queue<number, number>() },
  actions: {
    take: async (c) => {
      const message = await c.queue.tryNext({ names: ["jobs"], completable: true });
      await message?.complete(message.body * 10);
    },
  },
});

test("a sender that waits for its reply doesn't wake the actor; it gets the reply when something else does", async () => {
  await using driver = await Driver.start({ desk });
  const conn = driver.client().desk.getOrCreate().connect();
  const waiting = watch(conn.send("jobs", 4, { wait: true }));
  await driver.world.pass(60_000);
  expect([driver.runtime.host.size, waiting.state, conn.connStatus]).toEqual([0, "pending", "connected"]);
  await driver.act("desk", "take");
  await driver.world.until(() => waiting.state !== "pending");
  expect(waiting.value).toEqual({ status: "completed", response: 40 });
});

test("a sender that waits over sleeps of the actor is told when its time is over, and its message stays", async () => {
  await using driver = await Driver.start({ desk });
  const conn = driver.client().desk.getOrCreate().connect();
  const waiting = watch(conn.send("jobs", 4, { wait: true, timeout: 5_000 }));
  await driver.world.pass(4_999);
  expect([driver.runtime.host.size, waiting.state]).toEqual([0, "pending"]);
  await driver.world.pass(2);
  await driver.world.until(() => waiting.state !== "pending");
  expect(waiting.value).toEqual({ status: "timedOut" });
  const again = watch(conn.send("jobs", 5, { wait: true }));
  await driver.world.idle();
  await driver.act("desk", "take");
  await driver.act("desk", "take");
  await driver.world.until(() => again.state !== "pending");
  expect(again.value).toEqual({ status: "completed", response: 50 });
});
