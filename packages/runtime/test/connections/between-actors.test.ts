/** A connection that one actor holds to another, over the other's sleep and failure. */
import type { ActorConnRaw } from "@troupe/client";
import { actor, event } from "@troupe/runtime";
import { expect, test } from "vitest";
import { Driver } from "../driver/driver.ts";
import { Latch, watch } from "../driver/watch.ts";

const types: { readonly "~types"?: { readonly use: { readonly source: typeof source } } } = {};

const source = actor({
  state: { said: 0 },
  options: { sleepTimeout: 1_000 },
  events: { said: event<number>() },
  actions: {
    say: (c) => {
      c.state.said += 1;
      c.broadcast("said", c.state.said);
      return c.state.said;
    },
    clients: (c) => c.conns.size,
  },
});

/** Listens to the source from its start on, and keeps what it heard in its state. */
const holder = actor({
  state: { heard: [] as number[], own: 0 },
  options: { noSleep: true },
  createVars: (c) => ({ conn: c.client<typeof types>().source.getOrCreate().connect() }),
  onWake: (c) => {
    c.vars.conn.on("said", (n) => {
      c.state.heard.push(n);
    });
  },
  actions: {
    heard: (c) => [...c.state.heard],
    status: (c) => c.vars.conn.connStatus,
    ask: async (c) => {
      c.state.own += 1;
      return await c.vars.conn.say();
    },
  },
});

type Held = Driver<{ source: typeof source; holder: typeof holder }>;

async function start() {
  const driver = await Driver.start({ source, holder });
  await driver.act("holder", "heard");
  await driver.world.idle();
  const { actorId = "" } = await driver.http("POST", "/actor/source/resolve");
  const ask = async (action: string) => (await driver.act("holder", action)).output;
  return { driver, actorId, ask };
}

for (const [end, cut] of [
  ["sleeps", (driver: Held, id: string) => driver.runtime.host.sleep(id)],
  [
    "breaks",
    async (driver: Held) => {
      driver.syncs.failWrites(1);
      await driver.act("source", "say");
    },
  ],
] as const) {
  test(`the other ${end}: the holder's connection comes back, hears events again, and what it says is gated again`, async () => {
    const { driver, actorId, ask } = await start();
    await using _ = driver;
    await driver.act("source", "say");
    await driver.world.idle();
    expect([await ask("heard"), await ask("status")]).toEqual([[1], "connected"]);
    await cut(driver, actorId);
    await driver.world.idle();
    expect([await ask("status"), driver.runtime.host.size]).toEqual(["disconnected", 1]);
    // Nothing but the holder's own clock brings it back, and the other with it.
    await driver.world.pass(5_000);
    expect([await ask("status"), driver.runtime.host.size]).toEqual(["connected", 2]);
    const again = (await driver.act("source", "say")).output;
    await driver.world.idle();
    expect(await ask("heard")).toEqual([1, again]);
    driver.syncs.hold();
    const asked = watch(driver.act("holder", "ask"));
    await driver.world.idle();
    const said = watch(driver.act("source", "clients"));
    await driver.world.idle();
    // The source has not heard of it: it has nothing to store, and answers at once.
    expect([asked.state, said.state, said.value?.output]).toEqual(["pending", "resolved", 1]);
    driver.syncs.letGo();
    await driver.world.idle();
    expect(asked.value?.output).toBe(Number(again) + 1);
  });
}

test("a call in flight when the other breaks is unknown, one made while it is away is sent when it is back", async () => {
  const late = new Latch();
  const types: { readonly "~types"?: { readonly use: { readonly worker: typeof worker } } } = {};
  const worker = actor({
    state: { n: 0 },
    actions: {
      slow: async (c) => {
        await late.promise;
        c.state.n += 1;
      },
      write: (c) => {
        c.state.n += 1;
      },
      n: (c) => c.state.n,
    },
  });
  let conn: ActorConnRaw | undefined;
  const boss = actor({
    options: { noSleep: true },
    actions: {
      connect: (c) => {
        conn = c.client<typeof types>().worker.getOrCreate().connect();
      },
      call: async (_c, name: string) => await conn?.action({ name }),
    },
  });
  await using driver = await Driver.start({ worker, boss });
  await driver.act("boss", "connect");
  const slow = watch(driver.act("boss", "call", "slow"));
  await driver.world.idle();
  driver.syncs.failWrites(1);
  await driver.act("worker", "write");
  await driver.world.idle();
  expect(slow.value?.code).toBe("client.outcome_unknown");
  const next = watch(driver.act("boss", "call", "n"));
  await driver.world.idle();
  expect(next.state).toBe("pending");
  await driver.world.pass(5_000);
  expect(next.value?.output).toBe(0);
});

test("a connection ends with the activation that opened it: the next one has one of its own", async () => {
  const { driver, actorId } = await start();
  await using _ = driver;
  const { actorId: holderId = "" } = await driver.http("POST", "/actor/holder/resolve");
  for (let round = 0; round < 4; round += 1) {
    await driver.runtime.host.sleep(holderId);
    await driver.world.idle();
    await driver.act("holder", "heard");
    await driver.world.idle();
  }
  expect(driver.runtime.host.instance(actorId)?.report().connections).toBe(1);
  await driver.runtime.host.sleep(holderId);
  await driver.world.pass(60_000);
  // Nobody holds on to the source any more: it sleeps as well.
  expect(driver.runtime.host.size).toBe(0);
});
