/** Alarms of sleeping actors: none holds up another, and those that can't be acted on cost little. */
import { limits } from "@troupe/protocol";
import { actor } from "@troupe/runtime";
import { expect, test } from "vitest";
import { AlarmClock } from "../../src/host/alarm-clock.ts";
import type { Alarm } from "../../src/ports/storage.ts";
import { Driver } from "../driver/driver.ts";
import { Latch } from "../driver/watch.ts";
import { World } from "../driver/world.ts";

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

test("at most so many wakes go on at once; the others ring as these end", async () => {
  const clock = new ClockWorld(limits.alarmsWaking + 50);
  await clock.alarms.start();
  await clock.world.pass(1);
  expect(clock.waking.size).toBe(limits.alarmsWaking);
  await clock.world.pass(HOUR);
  expect(clock.waking.size).toBe(limits.alarmsWaking);
  for (const id of [...clock.waking.keys()].slice(0, 50)) clock.wake(id);
  await clock.world.pass(60_000);
  expect([clock.waking.size, clock.tried.size]).toEqual([limits.alarmsWaking, limits.alarmsWaking + 50]);
});

test("behind as many failures as the clock holds, and a round more, an actor still rings; no look asks for more", async () => {
  const clock = new ClockWorld(limits.alarmsHeld + limits.alarmsPerRound - 1);
  clock.failing = true;
  clock.storage.push({ actorId: "good", at: clock.world.clock.now() });
  await clock.alarms.start();
  for (let second = 0; second < 60 && !clock.tried.has("good"); second += 1) await clock.world.pass(1_000);
  expect(clock.tried.has("good")).toBe(true);
  expect(clock.mostAsked).toBe(limits.alarmsHeld + limits.alarmsPerRound);
});

/** The clock alone, over alarms that are all due and wakes that end when the test says. */
class ClockWorld {
  readonly world = new World();
  readonly storage: Alarm[] = [];
  readonly waking = new Map<string, () => void>();
  readonly tried = new Set<string>();
  failing = false;
  /** The most alarms that one look asked for. */
  mostAsked = 0;
  readonly alarms = new AlarmClock({
    env: this.world,
    storage: {
      nextAlarm: async () => this.storage[0],
      dueAlarms: async (until, limit) => {
        this.mostAsked = Math.max(this.mostAsked, limit);
        return this.storage.filter(({ at }) => at <= until).slice(0, limit);
      },
    },
    wake: (id) => {
      this.tried.add(id);
      if (this.failing) return Promise.reject(new Error("out of order"));
      return new Promise<void>((resolve) => this.waking.set(id, resolve));
    },
  });

  constructor(count: number) {
    const at = this.world.clock.now();
    for (let index = 0; index < count; index += 1) this.storage.push({ actorId: `${index}`, at });
  }

  /** A wake ends; the actor's alarm is done. */
  wake(id: string): void {
    const index = this.storage.findIndex(({ actorId }) => actorId === id);
    this.storage.splice(index, 1);
    this.waking.get(id)?.();
    this.waking.delete(id);
  }
}
