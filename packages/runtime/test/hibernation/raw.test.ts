/** Raw sockets over a sleep of their actor: the handler is called again, and what it had not settled comes again. */
import { actor, type UniversalWebSocket } from "@troupe/runtime";
import { expect, test } from "vitest";
import { Driver } from "../driver/driver.ts";
import { RawClient } from "../driver/raw-client.ts";
import { Latch } from "../driver/watch.ts";

function open(
  driver: Pick<Driver<never>, "world" | "runtime">,
  path: string,
  headers: Readonly<Record<string, string>> = {},
): RawClient {
  return new RawClient(driver.world, driver.runtime.gateway, path, headers);
}

function textOf(data: unknown): string {
  return typeof data === "string" ? data : `${new Uint8Array(data as ArrayBuffer).join()}`;
}

test("S2.7 (in part) an idle actor sleeps under its raw sockets; the next activation gets them with url, headers and protocol", async () => {
  const steps: string[] = [];
  const chat = actor({
    options: { sleepTimeout: 1_000 },
    createConnState: () => ({ heard: 0 }),
    onConnect: () => void steps.push("connect"),
    onWebSocket: (c, websocket: UniversalWebSocket, { request }) => {
      const { pathname, search } = new URL(request.url);
      steps.push(`taken ${pathname}${search} ${request.headers.get("x-who")} ${websocket.readyState}`);
      websocket.onopen = () => steps.push("open");
      websocket.onmessage = ({ data, rivetMessageIndex }) => {
        c.conn.state.heard += 1;
        websocket.send(`${rivetMessageIndex}: ${textOf(data)}, ${c.conn.state.heard} heard`);
      };
      websocket.onclose = ({ code }) => steps.push(`close ${code}`);
    },
    actions: { conns: (c) => [...c.conns.values()].map(({ isHibernatable }) => isHibernatable) },
  });
  await using driver = await Driver.start({ chat });
  const client = open(driver, "/actor/chat/websocket/a?x=1", { "x-who": "ann" }).say("hello");
  await driver.world.pass(1_000);
  expect([driver.runtime.host.size, client.closed]).toEqual([0, undefined]);
  client.say(Uint8Array.of(1, 2), "again");
  await driver.world.idle();
  expect(client.heard).toEqual(["1: hello, 1 heard", "2: 1,2, 2 heard", "3: again, 3 heard"]);
  expect((await driver.act("chat", "conns")).output).toEqual([true]);
  client.close();
  await driver.world.idle();
  expect(steps.filter((step) => step !== "connect")).toEqual([
    "taken /a?x=1 ann 1",
    "open",
    "taken /a?x=1 ann 1",
    "close 1000",
  ]);
});

test("S2.4 (in part) a message that the stopping actor hasn't settled, or hasn't heard, comes to the next activation under its index", async () => {
  const stuck = new Latch();
  const heard: string[] = [];
  let life = 0;
  const worker = actor({
    options: { sleepGracePeriod: 1_000 },
    onWake: () => {
      life += 1;
    },
    onWebSocket: (_c, websocket) => {
      const mine = life;
      websocket.onmessage = async ({ data, rivetMessageIndex }) => {
        heard.push(`${mine}: ${rivetMessageIndex} ${String(data)}`);
        if (mine === 1 && data === "slow") await stuck.promise;
        websocket.send(`did ${String(data)}`);
      };
    },
    actions: {},
  });
  await using driver = await Driver.start({ worker });
  const client = open(driver, "/actor/worker/websocket").say("quick", "slow", "done");
  await driver.world.idle();
  const { actorId = "" } = await driver.http("POST", "/actor/worker/resolve");
  const slept = driver.runtime.host.sleep(actorId);
  await driver.world.idle();
  client.say("late");
  await driver.world.pass(1_000);
  await slept;
  await driver.world.idle();
  expect(heard).toEqual(["1: 1 quick", "1: 2 slow", "1: 3 done", "2: 2 slow", "2: 4 late"]);
  expect([client.heard, client.closed]).toEqual([
    ["did quick", "did done", "did slow", "did late"],
    undefined,
  ]);
  stuck.open();
  await driver.world.idle();
  expect(client.heard).toHaveLength(4);
});

test("a message is acknowledged when what its handler wrote is durable: with a disk that fails it comes again", async () => {
  const seen: string[] = [];
  const tally = actor({
    state: { count: 0, last: 0 },
    onWebSocket: (c, websocket) => {
      websocket.onmessage = ({ data, rivetMessageIndex = 0 }) => {
        seen.push(`${rivetMessageIndex} ${c.state.last}`);
        if (rivetMessageIndex <= c.state.last) return;
        c.state.last = rivetMessageIndex;
        if (data === "add") c.state.count += 1;
      };
    },
    actions: { count: (c) => c.state.count },
  });
  await using driver = await Driver.start({ tally });
  const client = open(driver, "/actor/tally/websocket").say("add");
  await driver.world.idle();
  driver.syncs.failWrites(1);
  client.say("add", "add");
  await driver.world.idle();
  expect([seen, client.closed]).toEqual([["1 0", "2 1", "3 2", "2 1", "3 2"], undefined]);
  expect((await driver.act("tally", "count")).output).toBe(3);
});

test("options.canHibernateWebSocket decides for each socket by its request; one that can't keeps the actor awake", async () => {
  const picky = actor({
    options: { sleepTimeout: 1_000, canHibernateWebSocket: ({ url }) => url.endsWith("/stays") },
    onWebSocket: () => {},
    actions: {},
  });
  await using driver = await Driver.start({ picky });
  const [stays, ends] = [
    open(driver, "/actor/picky/websocket/stays"),
    open(driver, "/actor/picky/websocket"),
  ];
  await driver.world.pass(60_000);
  expect(driver.runtime.host.size).toBe(1);
  ends.close();
  await driver.world.pass(60_000);
  expect([driver.runtime.host.size, stays.closed]).toEqual([0, undefined]);
});

test("a handler that goes on keeps its actor awake: the next activation wouldn't have what it holds", async () => {
  const end = new Latch();
  const loop = actor({
    options: { sleepTimeout: 1_000 },
    onWebSocket: async () => await end.promise,
    actions: {},
  });
  await using driver = await Driver.start({ loop });
  open(driver, "/actor/loop/websocket");
  await driver.world.pass(60_000);
  expect(driver.runtime.host.size).toBe(1);
  end.open();
  await driver.world.pass(60_000);
  expect(driver.runtime.host.size).toBe(0);
});

test("canHibernateWebSocket is a boolean or a function, or the definition says so", () => {
  expect(() =>
    Reflect.apply(actor, undefined, [{ options: { canHibernateWebSocket: 1 }, actions: {} }]),
  ).toThrow(/canHibernateWebSocket/);
});
