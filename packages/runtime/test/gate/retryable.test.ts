/** "Retryable" says that a call surely had no effect: an action that ran never says it, and is never sent again. */
import { TroupeError } from "@troupe/base";
import { actor } from "@troupe/runtime";
import { expect, test } from "vitest";
import { storageErrors } from "../../src/errors.ts";
import { Driver } from "../driver/driver.ts";
import { watch } from "../driver/watch.ts";

const types: { readonly "~types"?: { readonly use: { readonly other: typeof other } } } = {};
const other = actor({ actions: { ping: () => "pong" } });

/** Writes, and then fails, by an error of another actor or of its own storage. */
const teller = actor({
  state: { told: 0 },
  options: { noSleep: true },
  actions: {
    tell: async (c) => {
      c.state.told += 1;
      return await c.client<typeof types>().other.getOrCreate().ping();
    },
    write: (c) => {
      c.state.told += 1;
    },
    told: (c) => c.state.told,
  },
});

type Told = Driver<{ teller: typeof teller; other: typeof other }>;

type Telling = "tell" | "write";

/** The ways to an action, each with a client that sends again what says to be retryable. */
const doors = {
  "over HTTP": async (driver: Told) => {
    const handle = driver.client().teller.getOrCreate();
    return (action: Telling) => handle[action]();
  },
  "over a socket": async (driver: Told) => {
    const conn = driver.client().teller.getOrCreate().connect();
    await conn.ready;
    return (action: Telling) => conn[action]();
  },
  "from the same process": async (driver: Told) => {
    const handle = driver.local().teller.getOrCreate();
    return (action: Telling) => handle[action]();
  },
};

for (const [door, open] of Object.entries(doors)) {
  test(`an action ${door} that fails by a retryable error of its own call isn't retryable, and ran once`, async () => {
    // There is room for the teller alone: its own call is refused as overloaded, again and again.
    await using driver = await Driver.start({ teller, other }, { maxAwakeActors: 1 });
    await driver.act("teller", "told");
    const call = await open(driver);
    const told = watch<unknown>(call("tell"));
    await driver.world.pass(120_000);
    expect([told.state, told.code]).toEqual(["rejected", "actor.overloaded"]);
    expect(TroupeError.is(told.error) && told.error.retryable).toBe(false);
    expect((await driver.act("teller", "told")).output).toBe(1);
  });

  test(`an action ${door} whose write met a closed storage isn't retryable, and ran once`, async () => {
    await using driver = await Driver.start({ teller, other });
    await driver.act("teller", "told");
    await driver.world.idle();
    const call = await open(driver);
    driver.syncs.failWrites(1, storageErrors.closed());
    const wrote = watch<unknown>(call("write"));
    await driver.world.pass(60_000);
    expect([wrote.state, wrote.code]).toEqual(["rejected", "storage.closed"]);
    expect(TroupeError.is(wrote.error) && wrote.error.retryable).toBe(false);
    expect((await driver.act("teller", "told")).output).toBe(0);
  });
}

test("an action that fails because the host stops is answered on its socket, and not as retryable", async () => {
  await using driver = await Driver.start({ teller, other });
  await driver.act("teller", "told");
  const socket = driver.socket("/actor/teller/connect").hello();
  await driver.world.idle();
  // The action has begun, and its own call waits for its write.
  driver.syncs.hold();
  socket.action(1, "tell");
  await driver.world.idle();
  expect(socket.story).toEqual(["welcome"]);
  const stopped = watch(driver.runtime.stop());
  await driver.world.idle();
  driver.syncs.letGo();
  await driver.world.pass(30_000);
  expect(stopped.state).toBe("resolved");
  expect(socket.story).toEqual(["welcome", "error 1 actor.stopping"]);
  expect(socket.frames[1]).toMatchObject({ error: { retryable: false } });
});

test("neither is one that throws a retryable error at once, nor one whose connect hook does", async () => {
  const refusal = () => new TroupeError("other", "busy", "Come back later", { retryable: true });
  let hook = false;
  const thrower = actor({
    state: { n: 0 },
    onConnect: () => {
      if (hook) throw refusal();
    },
    actions: {
      n: (c) => c.state.n,
      write: (c) => {
        c.state.n += 1;
        throw refusal();
      },
    },
  });
  const plain = actor({
    state: { n: 0 },
    actions: {
      write: (c) => {
        c.state.n += 1;
        throw refusal();
      },
    },
  });
  await using driver = await Driver.start({ thrower, plain });
  const refused = { code: "other.busy", error: { retryable: false } };
  expect(await driver.act("thrower", "write")).toMatchObject(refused);
  expect(await driver.act("plain", "write")).toMatchObject(refused);
  expect((await driver.act("thrower", "n")).output).toBe(1);
  hook = true;
  expect(await driver.act("thrower", "write")).toMatchObject(refused);
});
