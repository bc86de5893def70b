/** What a failed write, or a creation that can't be made durable, takes with it, and what it leaves alone. */
import { actor } from "@troupe/runtime";
import { expect, test } from "vitest";
import { Driver } from "../driver/driver.ts";
import { codeOf, Latch, watch } from "../driver/watch.ts";

const counter = actor({
  state: { count: 0 },
  actions: {
    add: (c) => {
      c.state.count += 1;
      return c.state.count;
    },
  },
});

/** A counter whose first write is durable and whose second one failed, while its creation is on its way. */
async function halfDurable() {
  const driver = await Driver.start({ counter });
  const creation = new Latch();
  driver.directory.durable = creation.promise;
  const first = watch(driver.act("counter", "add"));
  await driver.world.idle();
  driver.directory.durable = undefined;
  driver.syncs.failWrites(1);
  const second = watch(driver.act("counter", "add"));
  await driver.world.idle();
  return { driver, creation, first, second };
}

test("a failed batch leaves alone what is durable and waits for the creation only", async () => {
  const { driver, creation, first, second } = await halfDurable();
  await using _ = driver;
  expect([first.state, second.value?.code]).toEqual(["pending", "storage.commit_failed"]);
  creation.open();
  await driver.world.idle();
  expect(first.value?.output).toBe(1);
  expect((await driver.act("counter", "add")).output).toBe(2);
});

test("behind a failed batch, a creation that fails takes what waited for it", async () => {
  const { driver, creation, first } = await halfDurable();
  await using _ = driver;
  creation.fail(new Error("disk full"));
  await driver.world.idle();
  expect(first.value?.code).toBe("storage.commit_failed");
});

test("a creation that fails ends the activation: nobody was told of it, and the next call works", async () => {
  await using driver = await Driver.start({ counter });
  const creation = new Latch();
  driver.directory.durable = creation.promise;
  const first = watch(driver.act("counter", "add"));
  const socket = driver.socket("/actor/counter/connect").hello();
  await driver.world.idle();
  expect([first.state, socket.story, driver.runtime.host.size]).toEqual(["pending", [], 1]);
  driver.directory.durable = undefined;
  creation.fail(new Error("disk full"));
  await driver.world.idle();
  expect([first.value?.code, socket.story]).toEqual(["storage.commit_failed", []]);
  expect([socket.closed?.code, driver.runtime.host.size]).toEqual([1011, 0]);
  expect(await driver.act("counter", "add")).toMatchObject({ status: 200 });
});

test("code left behind by a broken activation can't tell other actors of writes that were never stored", async () => {
  const types: { readonly "~types"?: { readonly use: { readonly hearer: typeof hearer } } } = {};
  const later = new Latch();
  const heard: string[] = [];
  const caught: string[] = [];
  const hearer = actor({ actions: { hear: (_c, text: string) => void heard.push(text) } });
  const rumour = actor({
    state: { n: 0 },
    actions: {
      ping: () => "pong",
      write: async (c) => {
        const { hearer } = c.client<typeof types>();
        const opened = hearer.getOrCreate().connect();
        await opened.ready;
        c.state.n += 1;
        await later.promise;
        const attempts = [
          () => hearer.getOrCreate().hear(`an action: n is ${c.state.n}`),
          () => hearer.getOrCreate([`resolve ${c.state.n}`]).resolve(),
          async () => await driver.runtime.departure(),
          () => opened.hear(`an open connection: n is ${c.state.n}`),
        ];
        for (const attempt of attempts) await attempt().catch((error: unknown) => caught.push(codeOf(error)));
        const conn = hearer.getOrCreate().connect();
        await conn
          .hear(`a new connection: n is ${c.state.n}`)
          .catch((error: unknown) => caught.push(codeOf(error)));
      },
    },
  });
  await using driver = await Driver.start({ rumour, hearer });
  await driver.act("hearer", "hear", "warm");
  await driver.act("rumour", "ping");
  driver.syncs.failWrites(1);
  void driver.act("rumour", "write");
  await driver.world.idle();
  // The rumour is gone, and with it its connection to the hearer, which is awake for nobody.
  expect(driver.runtime.host.size).toBe(1);
  later.open();
  await driver.world.pass(60_000);
  expect(heard).toEqual(["warm"]);
  expect(caught).toEqual(Array<string>(5).fill("actor.stopped"));
});
