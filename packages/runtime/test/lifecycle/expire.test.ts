/** options.expireAfter: an actor that nobody used for so long is destroyed, asleep or awake, also over crashes. */
import { actor } from "@troupe/runtime";
import { beforeEach, expect, test } from "vitest";
import { Driver } from "../driver/driver.ts";

/** A time that is short enough to pass with heartbeats. */
const UNIT = 240_000;
const ended: string[] = [];
beforeEach(() => {
  ended.length = 0;
});

const base = {
  state: { n: 0 },
  onDestroy: (c: { readonly state: { n: number } }) => void ended.push(`destroyed at ${c.state.n}`),
  actions: {
    add: (c: { readonly state: { n: number } }) => {
      c.state.n += 1;
      return c.state.n;
    },
    plan: (c: { schedule: { after(ms: number, action: string): Promise<string> } }, ms: number) =>
      c.schedule.after(ms, "add"),
  },
};
const cart = actor({ ...base, options: { expireAfter: 10 * UNIT, sleepTimeout: 30_000 } });
const wakeful = actor({ ...base, options: { expireAfter: 10 * UNIT, noSleep: true } });
const add = async (
  driver: { act(actor: string, action: string): Promise<{ output?: unknown }> },
  name = "cart",
) => (await driver.act(name, "add")).output;

test("unused for so long it is gone, with onDestroy; use puts it off", async () => {
  await using driver = await Driver.start({ cart });
  await add(driver);
  await driver.world.pass(9 * UNIT);
  expect(await add(driver)).toBe(2);
  await driver.world.pass(10 * UNIT - 1);
  expect(ended).toEqual([]);
  await driver.world.pass(60_000);
  expect(ended).toEqual(["destroyed at 2"]);
  expect(driver.disk.alarms()).toEqual([]);
  expect(await add(driver)).toBe(1);
});

test("one that never sleeps ends by itself; a connection and a scheduled call are use", async () => {
  await using driver = await Driver.start({ wakeful, cart });
  await add(driver, "wakeful");
  await driver.act("cart", "plan", 9 * UNIT);
  const connection = driver.client().cart.getOrCreate(["held"]).connect();
  await driver.world.pass(11 * UNIT);
  expect(ended).toEqual(["destroyed at 1"]);
  expect(await add(driver)).toBe(2);
  await driver.act("cart?key=held", "add");
  await driver.world.pass(15 * UNIT);
  expect(ended).toEqual(["destroyed at 1", "destroyed at 2"]);
  await connection.dispose();
  await driver.world.pass(9 * UNIT);
  expect(ended).toHaveLength(2);
  await driver.world.pass(2 * UNIT);
  expect(ended).toEqual(["destroyed at 1", "destroyed at 2", "destroyed at 1"]);
});

test("a crash makes the end later at most, never earlier than its time behind the last use", async () => {
  await using driver = await Driver.start({ cart });
  const socket = driver.socket("/actor/cart/connect").hello();
  for (let passed = 0; passed < 20 * UNIT; passed += 30_000) {
    await driver.world.pass(30_000);
    socket.send({ kind: "ping" });
  }
  await add(driver);
  await driver.crash();
  await driver.world.pass(10 * UNIT - 60_000);
  expect(ended).toEqual([]);
  await driver.world.pass(6 * UNIT);
  expect(ended).toEqual(["destroyed at 1"]);
});

test("it survives a restart; one whose time came while nothing ran isn't used any more", async () => {
  await using driver = await Driver.start({ cart });
  await add(driver);
  await driver.restart();
  driver.world.setWallClock(driver.world.clock.now() + 11 * UNIT);
  const client = driver.client().cart.getOrCreate();
  const answer = client.add();
  await driver.world.pass(60_000);
  expect([await answer, ended]).toEqual([1, ["destroyed at 1"]]);
});

test("use that lasts writes seldom", async () => {
  await using driver = await Driver.start({ wakeful });
  await add(driver, "wakeful");
  driver.takeBatches();
  for (let minute = 0; minute < 100; minute += 1) {
    await add(driver, "wakeful");
    await driver.world.pass(60_000);
  }
  const rows = driver.takeBatches().flat();
  expect(rows.filter(({ key }) => key === "expires").length).toBeLessThan(7);
});

test("what can't be is refused", () => {
  for (const expireAfter of [0, -1, Number.NaN]) {
    expect(() => actor({ ...base, options: { expireAfter } })).toThrow(
      expect.objectContaining({ code: "invalid_option" }),
    );
  }
});
