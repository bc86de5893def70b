/** Connections over a sleep of their actor: what stays, what wakes it, and what it learns of those that left. */
import { actor, event } from "@troupe/runtime";
import { expect, test } from "vitest";
import { Driver } from "../driver/driver.ts";
import { Latch } from "../driver/watch.ts";

const hooks: string[] = [];

const room = actor({
  options: { sleepTimeout: 1_000 },
  state: { said: 0 },
  events: { said: event<string>() },
  types: {} as { connParams: { name: string } },
  createConnState: (_c, params: { name: string }) => ({ name: params.name, calls: 0, tags: { last: "" } }),
  onConnect: (_c, conn) => void hooks.push(`connect ${conn.state.name}`),
  onDisconnect: (_c, conn) => void hooks.push(`disconnect ${conn.state.name} ${conn.state.calls}`),
  onWake: (c) => void hooks.push(`wake ${[...c.conns.values()].map(({ state }) => state.name).sort()}`),
  actions: {
    say: (c, text: string) => {
      c.conn.state.calls += 1;
      c.conn.state.tags.last = text;
      c.state.said += 1;
      c.broadcast("said", text);
      return c.conn.state.calls;
    },
    mine: (c) => [c.conn.params.name, c.conn.state.calls, c.conn.state.tags.last, c.conn.isHibernatable],
    who: (c) => [...c.conns.values()].map(({ params }) => params.name),
    rest: (c) => c.sleep(),
    die: (c) => c.destroy(),
  },
});

async function start() {
  hooks.length = 0;
  const driver = await Driver.start({ room });
  const join = (name: string) =>
    driver.socket("/actor/room/connect").hello({ params: { name } }).subscribe(1, "said");
  const [ann, bob] = [join("ann"), join("bob")];
  await driver.world.idle();
  const { actorId = "" } = await driver.http("POST", "/actor/room/resolve");
  return { driver, ann, bob, actorId };
}

test("S2.7 (in part) an idle actor sleeps under its open connections; a message wakes it, and each is as it was", async () => {
  const { driver, ann, bob } = await start();
  await using _ = driver;
  ann.action(2, "say", "a");
  await driver.world.pass(1_000);
  expect([driver.runtime.host.size, ann.closed, bob.closed]).toEqual([0, undefined, undefined]);
  // A sign of life is answered, and wakes nobody.
  bob.send({ kind: "ping" });
  await driver.world.idle();
  expect([bob.story.at(-1), driver.runtime.host.size]).toEqual(["pong", 0]);
  bob.action(2, "say", "b").action(3, "mine");
  ann.action(3, "mine");
  await driver.world.idle();
  expect(ann.story.slice(0, 4)).toEqual(["welcome", "subscribed 1", 'event said ["a"]', "reply 2 1"]);
  // Which of the two is resumed first is nobody's promise.
  expect(ann.story.slice(4).sort()).toEqual(['event said ["b"]', 'reply 3 ["ann",1,"a",true]']);
  expect(bob.story.slice(-3)).toEqual(['event said ["b"]', "reply 2 1", 'reply 3 ["bob",1,"b",true]']);
  expect(hooks).toEqual(["wake ", "connect ann", "connect bob", "wake ann,bob"]);
});

test("S2.4 (in part) what comes while the actor stops is held, and taken by the next activation in order", async () => {
  const { driver, ann, actorId } = await start();
  await using _ = driver;
  driver.syncs.hold();
  ann.action(2, "say", "before");
  await driver.world.idle();
  void driver.runtime.host.sleep(actorId);
  await driver.world.idle();
  ann.action(3, "say", "1").action(4, "say", "2").action(5, "mine");
  await driver.world.idle();
  expect(ann.story.slice(2)).toEqual([]);
  driver.syncs.letGo();
  await driver.world.idle();
  expect(ann.story.slice(2)).toEqual([
    'event said ["before"]',
    "reply 2 1",
    'event said ["1"]',
    "reply 3 2",
    'event said ["2"]',
    "reply 4 3",
    'reply 5 ["ann",3,"2",true]',
  ]);
  expect(ann.closed).toBeUndefined();
});

test("who left while it slept wakes nobody; the next wake runs its onDisconnect once, and forgets it", async () => {
  const { driver, ann, bob, actorId } = await start();
  await using _ = driver;
  await driver.runtime.host.sleep(actorId);
  bob.close();
  await driver.world.idle();
  expect(driver.runtime.host.size).toBe(0);
  for (const id of [2, 3]) {
    ann.action(id, "who");
    await driver.world.idle();
    expect(ann.story.at(-1)).toBe(`reply ${id} ["ann"]`);
    await driver.runtime.host.sleep(actorId);
  }
  expect(hooks.filter((hook) => hook.startsWith("disconnect"))).toEqual(["disconnect bob 0"]);
  expect(driver.disk.rows(actorId).filter(({ key }) => key.startsWith("conn:"))).toHaveLength(1);
});

test("after a crash, also one of an awake actor, onDisconnect runs once for each connection of the process before", async () => {
  const { driver, ann, actorId } = await start();
  await using _ = driver;
  ann.action(2, "say", "a");
  await driver.world.idle();
  await driver.crash();
  await driver.http("POST", "/actor/room/resolve");
  await driver.world.idle();
  expect(hooks.slice(3).sort()).toEqual(["disconnect ann 1", "disconnect bob 0", "wake "]);
  await driver.crash();
  await driver.http("POST", "/actor/room/resolve");
  await driver.world.idle();
  expect(hooks.slice(6)).toEqual(["wake "]);
  expect(driver.disk.rows(actorId).filter(({ key }) => key.startsWith("conn:"))).toEqual([]);
});

test("an activation that breaks takes those with it that have lost something, and nobody else", async () => {
  const { driver, ann, bob } = await start();
  await using _ = driver;
  bob.send({ kind: "unsubscribe", event: "said" });
  await driver.world.idle();
  driver.syncs.failWrites(1);
  ann.action(2, "say", "lost");
  await driver.world.idle();
  expect([ann.closed?.code, bob.closed]).toEqual([1011, undefined]);
  bob.action(2, "mine");
  await driver.world.idle();
  expect(bob.story.at(-1)).toBe('reply 2 ["bob",0,"",true]');
});

test("a destroyed actor closes those that it slept under, and a stop of the host all", async () => {
  for (const end of ["destroyed", "restarting"]) {
    const { driver, ann, actorId } = await start();
    await using _ = driver;
    await driver.runtime.host.sleep(actorId);
    if (end === "destroyed") await driver.runtime.host.destroy(actorId);
    else await driver.runtime.stop();
    await driver.world.idle();
    expect(ann.closed?.reason).toBe(`actor.${end}`);
  }
});

test("S2.7 (in part) a start that fails ends the connection that asked for it; the others sleep on", async () => {
  let fails = false;
  const moody = actor({
    options: { sleepTimeout: 1_000 },
    onWake: () => {
      if (fails) throw new Error("not now");
    },
    actions: { ping: () => "pong" },
  });
  await using driver = await Driver.start({ moody });
  const [first, second] = [0, 1].map(() => driver.socket("/actor/moody/connect").hello());
  await driver.world.pass(1_000);
  expect(driver.runtime.host.size).toBe(0);
  fails = true;
  first?.action(1, "ping");
  await driver.world.idle();
  expect([first?.closed, second?.closed]).toEqual([{ code: 1011, reason: "actor.start_failed" }, undefined]);
  fails = false;
  second?.action(1, "ping");
  await driver.world.idle();
  expect(second?.story.at(-1)).toBe('reply 1 "pong"');
});

test("a connection whose state can't be stored keeps its actor awake, and ends with a sleep", async () => {
  const odd = actor({
    options: { sleepTimeout: 1_000 },
    createConnState: () => ({ close: () => {} }),
    actions: { awake: (c) => [c.awakeReasons, c.conn.isHibernatable] },
  });
  await using driver = await Driver.start({ odd });
  const socket = driver.socket("/actor/odd/connect").hello();
  await driver.world.pass(60_000);
  socket.action(1, "awake");
  await driver.world.idle();
  expect(socket.story.at(-1)).toBe('reply 1 [["an action in flight","a connection"],false]');
});

test("what is held has a limit: past it the socket is closed with a reason", async () => {
  const waking = new Latch();
  let slow = false;
  const sleeper = actor({
    options: { sleepTimeout: 1_000, onWakeTimeout: 60_000, maxIncomingMessageSize: 1024 * 1024 },
    onWake: () => (slow ? waking.promise : undefined),
    actions: { take: (_c, _bulk: string) => 1 },
  });
  await using driver = await Driver.start({ sleeper });
  const socket = driver.socket("/actor/sleeper/connect").hello();
  await driver.world.pass(1_000);
  slow = true;
  for (let id = 0; id < 3; id += 1) socket.action(id, "take", "x".repeat(500_000));
  await driver.world.idle();
  expect(socket.closed).toEqual({ code: 1013, reason: "connection.held_too_much" });
  waking.open();
});
