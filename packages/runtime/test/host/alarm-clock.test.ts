/** Alarms of sleeping actors: none holds up another, and those that can't be acted on cost little. */
import { limits } from "@troupe/protocol";
import { actor } from "@troupe/runtime";
import { expect, test } from "vitest";
import { Driver } from "../driver/driver.ts";
import { Latch } from "../driver/watch.ts";

const HOUR = 3_600_000;
const broken = new Set<string>();
const rung: string[] = [];
let work: Latch | undefined;

const bell = actor({
  options: { sleepTimeout: 1_000, sleepGracePeriod: 1_000 },
  onWake: (c) => {
    if (broken.has(c.key[0] ?? "")) throw new Error("out of order");
  },
  actions: {
    after: (c, ms: number) => c.schedule.after(ms, "ring"),
    ring: async (c) => {
      rung.push(c.key[0] ?? "");
      await work?.promise;
    },
  },
});

type Bells = Driver<{ bell: typeof bell }>;

async function start(): Promise<Bells> {
  broken.clear();
  rung.length = 0;
  work = undefined;
  return await Driver.start({ bell });
}

/** Counts how often the clock asks storage. */
function looks(driver: Bells): { count: number } {
  const { storage } = driver;
  const ask = storage.dueAlarms.bind(storage);
  const counted = { count: 0 };
  storage.dueAlarms = (until, limit) => {
    counted.count += 1;
    return ask(until, limit);
  };
  return counted;
}

async function manyBroken(driver: Bells, count: number): Promise<void> {
  for (let index = 0; index < count; index += 1) {
    await driver.act(`bell?key=${index}`, "after", 10_000 + index);
    broken.add(`${index}`);
  }
}

test("an actor that is slow to wake holds up no other", async () => {
  await using driver = await start();
  await driver.act("bell?key=slow", "after", 10_000);
  await driver.act("bell?key=quick", "after", 10_001);
  await driver.world.pass(5_000);
  const latch = new Latch();
  driver.storage.beforeOpen = ({ key }) => (key[0] === "slow" ? latch.promise : undefined);
  await driver.world.pass(5_001);
  expect(rung).toEqual(["quick"]);
  latch.open();
  await driver.world.pass(1);
  expect(rung).toEqual(["quick", "slow"]);
});

test("an alarm rings at its time, however short after another", async () => {
  await using driver = await start();
  await driver.act("bell?key=a", "after", 10_000);
  await driver.act("bell?key=b", "after", 10_300);
  await driver.world.pass(10_299);
  expect(rung).toEqual(["a"]);
  await driver.world.pass(1);
  expect(rung).toEqual(["a", "b"]);
});

test("many that can't start neither starve the others nor keep the clock busy", async () => {
  await using driver = await start();
  await manyBroken(driver, limits.alarmsPerRound + 20);
  await driver.act("bell?key=good", "after", 11_000);
  await driver.world.pass(5_000);
  expect(driver.runtime.host.size).toBe(0);
  const counted = looks(driver);
  await driver.world.pass(6_000);
  expect(rung).toEqual(["good"]);
  counted.count = 0;
  await driver.world.pass(HOUR);
  // Each round of retries is a few looks; in an hour there are about twenty for each moment of failure.
  expect(counted.count).toBeLessThan(20 * 2 * (limits.alarmsPerRound + 20));
});

test("an actor that fails to start is tried ever more rarely, and rings when it is repaired", async () => {
  await using driver = await start();
  await manyBroken(driver, 1);
  await driver.world.pass(HOUR);
  const failures = driver.world.logged("error", "waking an actor");
  expect(failures.slice(0, 4).map((line) => line.fields["retryInMs"])).toEqual([1_000, 2_000, 4_000, 8_000]);
  expect(failures.length).toBeLessThan(25);
  broken.clear();
  await driver.world.pass(300_000);
  expect(rung).toEqual(["0"]);
  expect(driver.disk.alarms()).toEqual([]);
});

test("an actor that works on its alarm for an hour costs no looks, and has its next one in time", async () => {
  await using driver = await start();
  await driver.act("bell", "after", 10_000);
  await driver.world.pass(5_000);
  const counted = looks(driver);
  work = new Latch();
  await driver.world.pass(HOUR);
  expect(rung).toHaveLength(1);
  expect(counted.count).toBeLessThan(5);
  work.open();
  work = undefined;
  await driver.act("bell", "after", 10_000);
  await driver.world.pass(10_000);
  expect(rung).toHaveLength(2);
});

test("a broken activation's alarm isn't lost, and isn't tried again at once", async () => {
  await using driver = await start();
  await driver.act("bell", "after", 10_000);
  await driver.world.pass(5_000);
  driver.syncs.failWrites(4);
  await driver.world.pass(6_000);
  expect(rung.length).toBeLessThan(4);
  await driver.world.pass(60_000);
  expect(driver.disk.alarms()).toEqual([]);
});
