/** A stop that meets calls on their way: each client learns which of its calls may go again. */
import { actor } from "@troupe/runtime";
import { expect, test } from "vitest";
import { Driver } from "../driver/driver.ts";
import { Latch, watch } from "../driver/watch.ts";

test("a call that comes while a stop waits for the disk is told that it had no effect, before the socket closes", async () => {
  const slowEnds = new Latch();
  const counter = actor({
    state: { n: 0 },
    onSleep: (c) => {
      c.state.n += 100;
    },
    actions: { add: (c) => (c.state.n += 1), slow: () => slowEnds.promise },
  });
  await using driver = await Driver.start({ counter });
  const socket = driver.socket("/actor/counter/connect").hello();
  await driver.world.idle();
  driver.syncs.hold();
  socket.action(1, "add").action(2, "slow");
  await driver.world.idle();
  const stopped = watch(driver.runtime.stop());
  await driver.world.idle();
  slowEnds.open();
  await driver.world.idle();
  // The close stands behind the last batch; the connection has ended for the actor.
  socket.action(3, "add");
  await driver.world.idle();
  expect(socket.story.slice(1)).toEqual(["error 3 actor.stopping"]);
  expect([socket.closed, stopped.state]).toEqual([undefined, "pending"]);
  driver.syncs.letGo();
  await driver.world.idle();
  expect(socket.story.slice(2)).toEqual(["reply 1 1", "reply 2 undefined"]);
  expect(socket.closed).toEqual({ code: 1012, reason: "actor.restarting" });
  await driver.restart();
  expect((await driver.act("counter", "add")).output).toBe(102);
});

test("a stop that leaves an action behind doesn't claim that all was answered, whatever was cancelled before", async () => {
  const stubborn = actor({
    options: { sleepGracePeriod: 1_000 },
    state: { ends: 0 },
    actions: {
      hang: () => new Promise<void>(() => {}),
      quick: () => 1,
      numbers: async function* (c) {
        yield 1;
        c.state.ends += 1;
      },
    },
  });
  await using driver = await Driver.start({ stubborn });
  const waiting = driver.socket("/actor/stubborn/connect").hello();
  const answered = driver.socket("/actor/stubborn/connect").hello();
  await driver.world.idle();
  driver.syncs.hold();
  waiting.action(7, "numbers");
  answered.action(7, "numbers");
  await driver.world.idle();
  // The result has ended, and its end waits for the disk.
  for (const socket of [waiting, answered]) socket.send({ kind: "cancel", id: 7 });
  await driver.world.idle();
  driver.syncs.letGo();
  await driver.world.idle();
  waiting.action(1, "hang");
  answered.action(1, "quick");
  await driver.world.idle();
  const stopped = watch(driver.runtime.stop());
  await driver.world.pass(1_000);
  expect(stopped.state).toBe("resolved");
  expect(waiting.closed).toEqual({ code: 1012, reason: "actor.left_behind" });
  expect(answered.closed).toEqual({ code: 1012, reason: "actor.restarting" });
});
