/** What a batch that was refused leaves to the calls beside it and behind it, on the connection that made them. */
import { limits } from "@troupe/protocol";
import { actor, event } from "@troupe/runtime";
import { expect, test } from "vitest";
import { Driver } from "../driver/driver.ts";
import { codeOf, Latch, watch } from "../driver/watch.ts";

let later = new Latch();

const shelf = actor({
  state: { n: 0, blob: "" },
  events: { added: event<number>() },
  actions: {
    add: (c) => {
      c.state.n += 1;
      c.broadcast("added", c.state.n);
      return c.state.n;
    },
    big: (c) => {
      c.state.blob = "x".repeat(limits.statePropertyBytes + 1);
    },
    wait: async (c) => {
      await later.promise;
      return c.state.n;
    },
    get: (c) => c.state.n,
  },
});

/** What came of a call: its output, or its code and what was applied. */
async function endOf(call: Promise<unknown>): Promise<unknown> {
  try {
    return await call;
  } catch (cause) {
    const { metadata } = cause as { metadata?: { applied?: unknown } };
    return [codeOf(cause), metadata?.applied];
  }
}

test("behind a property that is too large, the connection's next call works: nobody calls it unknown", async () => {
  await using driver = await Driver.start({ shelf });
  const conn = driver.client().shelf.getOrCreate().connect();
  expect(await conn.add()).toBe(1);
  const refused = endOf(conn.big());
  const big = watch(refused);
  // Made in the very turn in which the refusal is heard.
  const next = watch(refused.then(() => conn.get()));
  await driver.world.pass(5_000);
  expect(big.value).toEqual(["storage.property_too_large", "no"]);
  expect(next.value).toBe(1);
  expect(await conn.add()).toBe(2);
});

test("calls beside it in one batch are told that nothing of theirs was applied, whatever they broadcast", async () => {
  await using driver = await Driver.start({ shelf });
  const conn = driver.client().shelf.getOrCreate().connect();
  const heard: unknown[] = [];
  conn.on("added", (n) => heard.push(n));
  expect(await conn.add()).toBe(1);
  // The second one is on its way to the disk, and the others wait for the next round, in one batch.
  driver.syncs.hold();
  const ends = watch(Promise.all([conn.add(), conn.big(), conn.add()].map(endOf)));
  await driver.world.idle();
  driver.syncs.letGo();
  await driver.world.pass(5_000);
  const refused = ["storage.property_too_large", "no"];
  expect(ends.value).toEqual([2, refused, refused]);
  expect([await conn.add(), heard]).toEqual([3, [1, 2, 3]]);
});

test("a call that waits when the gate breaks has an answer when it ends, and the connection goes on meanwhile", async () => {
  await using driver = await Driver.start({ shelf });
  later = new Latch();
  const conn = driver.client().shelf.getOrCreate().connect();
  await conn.add();
  const waiting = watch(endOf(conn.wait()));
  const big = watch(endOf(conn.big()));
  await driver.world.pass(5_000);
  expect([big.value, waiting.state]).toEqual([["storage.property_too_large", "no"], "pending"]);
  expect(await conn.add()).toBe(2);
  later.open();
  await driver.world.idle();
  expect(waiting.value).toEqual(["storage.property_too_large", "no"]);
});

test("a call over HTTP that comes while the broken activation ends is the next one's", async () => {
  await using driver = await Driver.start({ shelf });
  await driver.act("shelf", "add");
  const refused = driver.act("shelf", "big");
  const big = watch(refused);
  const next = watch(refused.then(() => driver.act("shelf", "add")));
  await driver.world.pass(5_000);
  expect([big.value?.code, big.value?.error?.metadata]).toMatchObject([
    "storage.property_too_large",
    { applied: "no", property: "blob" },
  ]);
  expect(next.value?.output).toBe(2);
});
