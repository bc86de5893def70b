/** What could be left between two activations: a client without a row, a subscription without a store, a start that fails. */
import { actor, event, type UniversalWebSocket } from "@troupe/runtime";
import { expect, test } from "vitest";
import { Driver } from "../driver/driver.ts";
import { RawClient } from "../driver/raw-client.ts";
import { Latch } from "../driver/watch.ts";

const echo = actor({
  options: { sleepTimeout: 1_000 },
  state: { n: 0 },
  events: { said: event<number>() },
  onWebSocket: (c, websocket: UniversalWebSocket) => {
    websocket.onmessage = ({ data }) => {
      c.state.n += 1;
      websocket.send(data);
    };
  },
  actions: { ping: () => "pong" },
});

test("a raw socket whose row couldn't be stored is told that it closed: nobody would know of it at the next wake", async () => {
  await using driver = await Driver.start({ echo });
  await driver.act("echo", "ping");
  driver.syncs.failWrites(1);
  const client = new RawClient(driver.world, driver.runtime.gateway, "/actor/echo/websocket");
  await driver.world.idle();
  client.say("are you there?");
  await driver.world.idle();
  expect(client.closed?.code).toBe(1012);
  expect(client.heard).toEqual([]);
});

test("a subscription that couldn't be stored ends its socket, so that a client that connects anew has it", async () => {
  await using driver = await Driver.start({ echo });
  const socket = driver.socket("/actor/echo/connect").hello();
  await driver.world.idle();
  driver.syncs.failWrites(1);
  socket.subscribe(1, "said");
  await driver.world.idle();
  expect([socket.story.at(-1), socket.closed]).toEqual([
    "error 1 storage.commit_failed",
    { code: 1011, reason: "actor.broken" },
  ]);
});

test("S2.7 (in part) a start that fails closes the raw socket that asked for it; the others sleep on, and nothing is lost", async () => {
  let fails = false;
  const moody = actor({
    options: { sleepTimeout: 1_000 },
    onWake: () => {
      if (fails) throw new Error("not now");
    },
    onWebSocket: (_c, websocket: UniversalWebSocket) => {
      websocket.onmessage = ({ data, rivetMessageIndex }) =>
        websocket.send(`${rivetMessageIndex} ${String(data)}`);
    },
    actions: {},
  });
  await using driver = await Driver.start({ moody });
  const open = () => new RawClient(driver.world, driver.runtime.gateway, "/actor/moody/websocket");
  const [first, second] = [open(), open()];
  await driver.world.pass(1_000);
  fails = true;
  first.say("lost, and told so");
  await driver.world.idle();
  expect([first.closed, second.closed]).toEqual([{ code: 1008, reason: "actor.start_failed" }, undefined]);
  fails = false;
  second.say("heard");
  await driver.world.idle();
  expect([first.heard, second.heard]).toEqual([[], ["1 heard"]]);
});

test("S2.3 (in part) what comes while held messages are handed over doesn't overtake them", async () => {
  const waking = new Latch();
  let slow = false;
  const heard: string[] = [];
  const sleeper = actor({
    options: { sleepTimeout: 1_000, onWakeTimeout: 60_000 },
    onWake: () => (slow ? waking.promise : undefined),
    onWebSocket: async (_c, websocket: UniversalWebSocket) => {
      // Listens late: what was held waits here once more, and what comes now comes behind it.
      await Promise.resolve();
      websocket.onmessage = ({ data }) => {
        heard.push(String(data));
        if (data === "1") client.say("4");
      };
    },
    actions: {},
  });
  await using driver = await Driver.start({ sleeper });
  const client = new RawClient(driver.world, driver.runtime.gateway, "/actor/sleeper/websocket");
  await driver.world.pass(1_000);
  slow = true;
  client.say("1", "2");
  await driver.world.idle();
  client.say("3");
  waking.open();
  await driver.world.idle();
  expect(heard).toEqual(["1", "2", "3", "4"]);
});

test("a raw socket that is closed while its actor sleeps wakes nobody, and its onDisconnect runs once at the next wake", async () => {
  const left: string[] = [];
  const door = actor({
    options: { sleepTimeout: 1_000 },
    onWebSocket: () => {},
    // Calls without a connection have one for as long as they last.
    onDisconnect: (_c, conn) => void (conn.isHibernatable && left.push(conn.id)),
    actions: { ping: () => "pong" },
  });
  await using driver = await Driver.start({ door });
  const client = new RawClient(driver.world, driver.runtime.gateway, "/actor/door/websocket");
  await driver.world.pass(1_000);
  client.close();
  await driver.world.idle();
  expect([driver.runtime.host.size, left]).toEqual([0, []]);
  await driver.act("door", "ping");
  await driver.world.pass(1_000);
  await driver.act("door", "ping");
  await driver.world.idle();
  expect(left).toHaveLength(1);
});

test("an actor whose batch fails while it wakes leaves nobody asleep for ever: each client is answered, or told that it closed", async () => {
  let waking = new Latch();
  waking.open();
  const writer = actor({
    options: { sleepTimeout: 1_000, onWakeTimeout: 60_000 },
    state: { wakes: 0 },
    // Nothing waits for what is written: it is stored, or not, while the start goes on.
    onWake: (c) => {
      c.state.wakes += 1;
      return waking.promise;
    },
    onWebSocket: (_c, websocket: UniversalWebSocket) => {
      websocket.onmessage = ({ data }) => websocket.send(data);
    },
    actions: { ping: (c) => c.state.wakes },
  });
  await using driver = await Driver.start({ writer });
  const socket = driver.socket("/actor/writer/connect").hello();
  const raw = new RawClient(driver.world, driver.runtime.gateway, "/actor/writer/websocket");
  await driver.world.pass(1_000);
  expect(driver.runtime.host.size).toBe(0);
  // It begins again for as long as somebody asks: each time its batch fails, and then its hook is done.
  for (let starts = 0; starts < 4; starts += 1) {
    waking = new Latch();
    driver.syncs.failWrites(1);
    if (starts === 0) socket.action(1, "ping");
    if (starts === 0) raw.say("there?");
    await driver.world.idle();
    waking.open();
    await driver.world.idle();
  }
  expect(socket.story.at(-1)).toBe("reply 1 2");
  // Its handler may be called, or not, before the batch fails.
  expect(raw.heard.length === 1 || raw.closed !== undefined).toBe(true);
});
