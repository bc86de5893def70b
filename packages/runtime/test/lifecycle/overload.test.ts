/** Too many awake actors: the longest idle sleep early; past that a new one waits, then `actor.overloaded`. */
import { limits } from "@troupe/protocol";
import { actor } from "@troupe/runtime";
import { expect, test } from "vitest";
import { Driver } from "../driver/driver.ts";
import { Latch, watch } from "../driver/watch.ts";

let work = new Latch();
const slept: string[] = [];

const one = actor({
  onSleep: (c) => void slept.push(c.key[0] ?? ""),
  onWake: () => {
    if (failing) throw new Error("no");
  },
  actions: { ping: (c) => c.key[0], hang: async () => await work.promise },
});

let failing = false;

test("the longest idle sleeps early for a new one", async () => {
  slept.length = 0;
  await using driver = await Driver.start({ one }, { maxAwakeActors: 2 });
  await driver.act("one?key=a", "ping");
  await driver.world.pass(10);
  await driver.act("one?key=b", "ping");
  await driver.world.pass(10);
  await driver.act("one?key=a", "ping");
  expect((await driver.act("one?key=c", "ping")).output).toBe("c");
  expect(slept).toEqual(["b"]);
  expect(driver.runtime.host.size).toBe(2);
});

test("all are busy: a new one waits, and is refused as retryable after its time", async () => {
  work = new Latch();
  await using driver = await Driver.start({ one }, { maxAwakeActors: 1 });
  void driver.act("one?key=a", "hang");
  await driver.world.idle();
  const b = watch(driver.act("one?key=b", "ping"));
  await driver.world.pass(limits.overloadWaitMs - 1);
  expect(b.state).toBe("pending");
  await driver.world.pass(1);
  expect(b.value).toMatchObject({
    status: 503,
    code: "actor.overloaded",
    error: { retryable: true, metadata: { limit: 1 } },
  });
  // The one that is awake is not affected.
  expect((await driver.act("one?key=a", "ping")).output).toBe("a");
});

test("who waits gets the place of the first that becomes idle, in the order of coming", async () => {
  work = new Latch();
  slept.length = 0;
  await using driver = await Driver.start({ one }, { maxAwakeActors: 1 });
  void driver.act("one?key=a", "hang");
  await driver.world.idle();
  const b = watch(driver.act("one?key=b", "ping"));
  const c = watch(driver.act("one?key=c", "ping"));
  await driver.world.pass(100);
  expect([b.state, c.state]).toEqual(["pending", "pending"]);
  work.open();
  await driver.world.idle();
  expect([b.value?.output, c.value?.output]).toEqual(["b", "c"]);
  expect(slept).toEqual(["a", "b"]);
});

test("who waits gets the place of one that nobody calls when it has woken", async () => {
  await using driver = await Driver.start({ one }, { maxAwakeActors: 1 });
  const { actorId = "" } = await driver.http("POST", "/actor/one/resolve?key=a");
  await driver.runtime.host.sleep(actorId);
  slept.length = 0;
  // Woken as an alarm does it, for no call; the one that waits comes before it is awake.
  const a = driver.runtime.host.load({ kind: "id", id: actorId });
  const b = watch(driver.act("one?key=b", "ping"));
  await a;
  await driver.world.idle();
  expect(b.value?.output).toBe("b");
  expect(slept).toEqual(["a"]);
});

test("places are given back once: after failing starts, and after one that was found by two ways", async () => {
  work = new Latch();
  await using driver = await Driver.start({ one }, { maxAwakeActors: 2 });
  const { actorId = "" } = await driver.http("POST", "/actor/one/resolve?key=x");
  await driver.runtime.host.sleep(actorId);
  failing = true;
  const calls = [
    driver.http("POST", `/actor-id/${actorId}/action/ping`),
    driver.act("one?key=x", "ping"),
    driver.act("one?key=new", "ping"),
  ];
  expect((await Promise.all(calls)).map((call) => call.code)).toEqual(Array(3).fill("actor.start_failed"));
  failing = false;
  // Two fit, busy; a third doesn't.
  void driver.act("one?key=a", "hang");
  void driver.act("one?key=b", "hang");
  await driver.world.idle();
  expect(driver.runtime.host.size).toBe(2);
  const third = watch(driver.act("one?key=c", "ping"));
  await driver.world.pass(limits.overloadWaitMs);
  expect(third.value?.code).toBe("actor.overloaded");
});

test("too many that wait are refused at once", async () => {
  work = new Latch();
  await using driver = await Driver.start({ one }, { maxAwakeActors: 1 });
  void driver.act("one?key=a", "hang");
  await driver.world.idle();
  const waiting = Array.from({ length: limits.waitingForWake }, (_, index) =>
    driver.act(`one?key=w${index}`, "ping"),
  );
  expect((await driver.act("one?key=more", "ping")).error?.metadata).toEqual({
    limit: limits.waitingForWake,
  });
  await driver.world.pass(limits.overloadWaitMs);
  const answers = await Promise.all(waiting);
  expect(new Set(answers.map((answer) => answer.code))).toEqual(new Set(["actor.overloaded"]));
});
