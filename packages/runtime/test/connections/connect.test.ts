/** Connections: the hooks in their order, what is seen when, and how they end. */
import { UserError } from "@troupe/base";
import { actor, event } from "@troupe/runtime";
import { expect, test } from "vitest";
import { Driver } from "../driver/driver.ts";
import { Latch, rejection, watch } from "../driver/watch.ts";

interface Params {
  readonly name: string;
}

function room(steps: string[]) {
  return actor({
    state: { joined: 0 },
    events: { note: event<string>() },
    onBeforeConnect: (_c, params: Params | undefined) => {
      steps.push(`onBeforeConnect ${params?.name}`);
      if (params?.name === "eve") throw new UserError("no", { code: "refused" });
      if (params?.name === "bug") throw new Error("secret");
    },
    createConnState: (_c, params: Params | undefined) => {
      steps.push(`createConnState ${params?.name}`);
      return { name: params?.name ?? "nobody", calls: 0 };
    },
    onConnect: (c, conn) => {
      c.state.joined += 1;
      steps.push(`onConnect ${conn.state.name} ${c.conns.has(conn.id)} ${c.conn === conn}`);
      conn.send("note", `hello ${conn.state.name}`);
      if (conn.state.name === "late") throw new UserError("after all, no", { code: "late" });
    },
    onDisconnect: (c, conn) => void steps.push(`onDisconnect ${conn.state.name} ${c.conns.has(conn.id)}`),
    actions: {
      who: (c) => {
        c.conn.state.calls += 1;
        steps.push(`who ${c.conn.state.name}`);
        return [c.conn.state.name, c.conn.state.calls, c.conns.size];
      },
      kick: async (c) => {
        c.conn.send("note", "goodbye");
        await c.conn.disconnect("kicked");
        return "gone";
      },
      joined: (c) => c.state.joined,
    },
  });
}

test("onBeforeConnect, createConnState, onConnect with the conn in c.conns, welcome first; onDisconnect at the end", async () => {
  const steps: string[] = [];
  await using driver = await Driver.start({ room: room(steps) });
  const socket = driver.socket("/actor/room/connect").hello({ params: { name: "ann" } });
  await driver.world.idle();
  expect(steps).toEqual(["onBeforeConnect ann", "createConnState ann", "onConnect ann true true"]);
  expect(socket.story).toEqual(["welcome", 'event note ["hello ann"]']);
  socket.action(1, "who").action(2, "who");
  await driver.world.idle();
  expect(socket.story.slice(2)).toEqual(['reply 1 ["ann",1,1]', 'reply 2 ["ann",2,1]']);
  steps.length = 0;
  socket.close();
  await driver.world.idle();
  expect(steps).toEqual(["onDisconnect ann false"]);
});

test("a refusal: its error, 1008, no actor state touched, the next one works", async () => {
  const steps: string[] = [];
  await using driver = await Driver.start({ room: room(steps) });
  const eve = driver
    .socket("/actor/room/connect")
    .hello({ params: { name: "eve" } })
    .action(1, "who");
  const bug = driver.socket("/actor/room/connect").hello({ params: { name: "bug" } });
  await driver.world.idle();
  expect([eve.story, bug.story]).toEqual([["refusal user.refused"], ["refusal internal.error"]]);
  expect(JSON.stringify(bug.frames)).not.toContain("secret");
  expect([eve.closed, bug.closed]).toEqual([
    { code: 1008, reason: "user.refused" },
    { code: 1008, reason: "internal.error" },
  ]);
  expect(steps).toEqual(["onBeforeConnect eve", "onBeforeConnect bug"]);
  expect(driver.world.logged("error", "a call failed")).toHaveLength(1);
});

test("onConnect that throws is a refusal too: no welcome, and onDisconnect undoes what was done", async () => {
  const steps: string[] = [];
  await using driver = await Driver.start({ room: room(steps) });
  const late = driver
    .socket("/actor/room/connect")
    .hello({ params: { name: "late" } })
    .action(1, "who");
  await driver.world.idle();
  expect(late.story).toEqual(["refusal user.late"]);
  expect(steps).toEqual([
    "onBeforeConnect late",
    "createConnState late",
    "onConnect late true true",
    "onDisconnect late false",
  ]);
  await using client = driver.client();
  const conn = client.room.getOrCreate([], { params: { name: "late" } }).connect();
  expect(await rejection(conn.ready)).toBe("user.late");
});

test("a refusal tells nothing that isn't durable", async () => {
  const door = actor({
    state: { n: 0 },
    onBeforeConnect: (c) => {
      throw new UserError(`n is ${(c.state as { n: number }).n}`, { code: "told" });
    },
    onWake: (c) => void c.schedule.after(1_000, "add"),
    actions: {
      add: (c: { state: { n: number } }) => {
        c.state.n += 1;
      },
    },
  });
  await using driver = await Driver.start({ door });
  await driver.http("POST", "/actor/door/resolve");
  driver.syncs.hold();
  await driver.world.pass(1_000);
  const socket = driver.socket("/actor/door/connect").hello();
  const call = watch(driver.act("door", "add"));
  await driver.world.idle();
  expect([socket.story, call.state]).toEqual([[], "pending"]);
  driver.syncs.letGo();
  await driver.world.idle();
  expect(socket.story).toEqual(["refusal user.told"]);
  expect(call.value?.error?.message).toBe("n is 1");
});

test("stateless calls run the connect hooks around the action, and aren't in c.conns", async () => {
  const steps: string[] = [];
  await using driver = await Driver.start({ room: room(steps) });
  const call = (params: unknown) => driver.http("POST", "/actor/room/action/who", { params });
  expect((await call({ name: "bob" })).output).toEqual(["bob", 1, 0]);
  await driver.world.idle();
  expect(steps).toEqual([
    "onBeforeConnect bob",
    "createConnState bob",
    "onConnect bob false true",
    "who bob",
    "onDisconnect bob false",
  ]);
  expect(await call({ name: "eve" })).toMatchObject({ status: 400, code: "user.refused" });
  expect((await driver.act("room", "joined")).output).toBe(2);
});

test("conn.send before disconnect arrives before the close, and nothing after it", async () => {
  const steps: string[] = [];
  await using driver = await Driver.start({ room: room(steps) });
  const socket = driver.socket("/actor/room/connect").hello({ params: { name: "ann" } });
  await driver.world.idle();
  driver.syncs.hold();
  void driver.act("room", "joined");
  socket.action(1, "kick");
  await driver.world.idle();
  // The close waits at the gate behind the message.
  expect(socket.closed).toBeUndefined();
  driver.syncs.letGo();
  await driver.world.idle();
  expect(socket.story.slice(2)).toEqual(['event note ["goodbye"]']);
  expect(socket.closed).toEqual({ code: 1000, reason: "kicked" });
  expect(steps.filter((step) => step === "onDisconnect ann false")).toHaveLength(1);
});

test("who was disconnected acts no more, also while the close waits for the disk", async () => {
  const done: string[] = [];
  const room = actor({
    state: { n: 0 },
    actions: {
      kick: (c) => {
        c.state.n += 1;
        for (const conn of c.conns.values()) void conn.disconnect("out");
      },
      act: () => void done.push("acted"),
    },
  });
  await using driver = await Driver.start({ room });
  const socket = driver.socket("/actor/room/connect").hello();
  await driver.world.idle();
  driver.syncs.hold();
  void driver.act("room", "kick");
  await driver.world.idle();
  socket.action(1, "act");
  await driver.world.idle();
  driver.syncs.letGo();
  await driver.world.idle();
  expect([done, socket.story, socket.closed]).toEqual([[], ["welcome"], { code: 1000, reason: "out" }]);
});

for (const [option, hook] of [
  ["onBeforeConnectTimeout", "onBeforeConnect"],
  ["createConnStateTimeout", "createConnState"],
  ["onConnectTimeout", "onConnect"],
] as const) {
  test(`options.${option}: a connection and a stateless call whose ${hook} takes longer are refused`, async () => {
    const slow = actor({
      [hook]: () => new Promise<never>(() => {}),
      actions: { ping: () => 1 },
      options: { [option]: 400 },
    });
    await using driver = await Driver.start({ slow });
    const socket = driver.socket("/actor/slow/connect").hello();
    const call = watch(driver.act("slow", "ping"));
    await driver.world.pass(399);
    expect([socket.story, call.state]).toEqual([[], "pending"]);
    await driver.world.pass(1);
    expect(socket.story).toEqual(["refusal actor.hook_timed_out"]);
    expect(call.value?.code).toBe("actor.hook_timed_out");
  });
}

test("S2.3: frames sent behind the hello are taken in order, before any that comes later", async () => {
  const opening = new Latch();
  const order: number[] = [];
  const slow = actor({
    onBeforeConnect: async () => await opening.promise,
    events: { taken: event<number>() },
    actions: {
      take: (c, n: number) => {
        order.push(n);
        c.broadcast("taken", n);
        return n;
      },
    },
  });
  await using driver = await Driver.start({ slow });
  const socket = driver.socket("/actor/slow/connect").hello().subscribe(900, "taken");
  for (let n = 0; n < 20; n += 1) socket.action(n, "take", n);
  await driver.world.idle();
  expect(order).toEqual([]);
  opening.open();
  // Later ones arrive while the earlier are taken.
  for (let n = 20; n < 40; n += 1) socket.action(n, "take", n);
  await driver.world.idle();
  const all = Array.from({ length: 40 }, (_, n) => n);
  expect(order).toEqual(all);
  expect(socket.story).toEqual([
    "welcome",
    "subscribed 900",
    ...all.flatMap((n) => [`event taken [${n}]`, `reply ${n} ${n}`]),
  ]);
});

test("S4.2: conn.on, then conn.act in one tick, first connect and 1,000 connections back to back: every event arrives", async () => {
  const chat = actor({
    events: { said: event<number>() },
    actions: {
      say: (c, n: number) => {
        c.conn.send("said", n);
        c.broadcast("said", n + 1);
        return n;
      },
    },
  });
  await using driver = await Driver.start({ chat });
  await using client = driver.client({ encoding: "cbor" });
  const missed: number[] = [];
  for (let n = 0; n < 1_000; n += 1) {
    const conn = client.chat.getOrCreate(["one"]).connect();
    const heard: number[] = [];
    conn.on("said", (value) => void heard.push(value));
    const said = await conn.say(n);
    if (said !== n || heard.join() !== `${n},${n + 1}`) missed.push(n);
    await conn.dispose();
  }
  expect(missed).toEqual([]);
});

test("S4.2: it holds on a reconnect too", async () => {
  const chat = actor({
    events: { said: event<number>() },
    // What can't be stored ends with the activation, and its connection too.
    createConnState: () => () => {},
    actions: {
      say: (c, n: number) => c.broadcast("said", n),
      nap: (c) => c.sleep(),
    },
  });
  await using driver = await Driver.start({ chat });
  await using client = driver.client();
  const conn = client.chat.getOrCreate().connect();
  const heard: number[] = [];
  conn.on("said", (n) => void heard.push(n));
  await conn.say(1);
  await driver.act("chat", "nap");
  await driver.world.until(() => !conn.isConnected);
  const said = watch(conn.say(2));
  await driver.world.pass(60_000);
  expect(said.state).toBe("resolved");
  expect(heard).toEqual([1, 2]);
});

test("S4.1: a boot that takes 6 s and a first action that takes 6 s starve no other connection", async () => {
  const agent = actor({
    state: { turns: 0 },
    onWake: async (c) => {
      if (c.key[0] === "boot") await sleep(6_000);
    },
    events: { said: event<number>() },
    actions: {
      slow: async (c) => {
        await sleep(6_000);
        c.broadcast("said", 1);
        return "done";
      },
      ping: () => "pong",
    },
  });
  await using driver = await Driver.start({ agent });
  const sleep = (ms: number) => new Promise<void>((resolve) => void driver.world.timers.set(resolve, ms));
  const booting = driver.socket("/actor/agent/connect?key=boot").hello().action(1, "ping");
  const first = driver.socket("/actor/agent/connect?key=a").hello().subscribe(0, "said").action(1, "slow");
  await driver.world.pass(1_000);
  expect([booting.story, first.story]).toEqual([[], ["welcome", "subscribed 0"]]);
  // The clock stands still: what comes now takes no time at all.
  const others = Array.from({ length: 50 }, () =>
    driver.socket("/actor/agent/connect?key=a").hello().subscribe(1, "said").action(2, "ping"),
  );
  const elsewhere = driver.socket("/actor/agent/connect?key=b").hello().action(1, "ping");
  await driver.world.idle();
  for (const other of others) expect(other.story).toEqual(["welcome", "subscribed 1", 'reply 2 "pong"']);
  expect(elsewhere.story).toEqual(["welcome", 'reply 1 "pong"']);
  for (const other of others.slice(1)) other.close();
  await driver.world.idle();
  const report = driver.runtime.host
    .instance(String((first.frames[0] as { actorId?: unknown }).actorId))
    ?.report();
  expect(report).toMatchObject({ connections: 2, actionsInFlight: 1 });
  await driver.world.pass(6_000);
  expect(booting.story).toEqual(["welcome", 'reply 1 "pong"']);
  expect(others[0]?.story.at(-1)).toBe("event said [1]");
});

test("a connection whose hooks end when the actor has begun to stop is told to come again", async () => {
  const hook = new Latch();
  let wait = true;
  const slow = actor({
    options: { sleepGracePeriod: 1_000 },
    onBeforeConnect: async () => {
      if (wait) await hook.promise;
    },
    actions: { ping: () => 1 },
  });
  await using driver = await Driver.start({ slow });
  const { actorId = "" } = await driver.http("POST", "/actor/slow/resolve");
  const socket = driver.socket("/actor/slow/connect").hello().action(1, "ping");
  await driver.world.idle();
  const slept = watch(driver.runtime.host.sleep(actorId));
  await driver.world.pass(1_000);
  expect(slept.state).toBe("resolved");
  wait = false;
  hook.open();
  await driver.world.idle();
  expect(socket.story).toEqual(["refusal actor.stopping"]);
  expect(socket.closed?.code).toBe(1013);
});
