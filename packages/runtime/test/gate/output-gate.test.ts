/** Promise 1: nothing leaves an actor before what it may depend on is durable. */

import { limits } from "@troupe/protocol";
import { actor, event } from "@troupe/runtime";
import { expect, test } from "vitest";
import { Driver } from "../driver/driver.ts";
import { codeOf, Latch, watch } from "../driver/watch.ts";

const counter = actor({
  state: { count: 0, other: 0 },
  events: { changed: event<number>(), cursor: event<number>() },
  actions: {
    add: (c, by: number) => {
      c.state.count += by;
      c.broadcast("changed", c.state.count);
      return c.state.count;
    },
    read: (c) => c.state.count,
    ping: () => "pong",
    move: (c, to: number) => {
      c.state.count = to;
      c.broadcastUnconfirmed("cursor", to);
      c.conn.sendUnconfirmed("cursor", to + 1);
      return to;
    },
    addAndFail: (c, by: number) => {
      c.state.count += by;
      throw new Error("after the write");
    },
    burst: (c, count: number) => {
      c.state.count += 1;
      for (let index = 0; index < count; index += 1) c.broadcast("changed", index);
    },
  },
});

test("a reply waits for its write, and a broadcast made before the return precedes it", async () => {
  await using driver = await Driver.start({ counter });
  const socket = driver.socket("/actor/counter/connect?key=a").hello().subscribe(1, "changed");
  await driver.world.idle();
  driver.syncs.hold();
  socket.action(2, "add", 5);
  await driver.world.idle();
  expect(driver.syncs.waiting).toBe(1);
  expect(socket.story).toEqual(["welcome", "subscribed 1"]);
  driver.syncs.finish();
  await driver.world.idle();
  expect(socket.story).toEqual(["welcome", "subscribed 1", "event changed [5]", "reply 2 5"]);
});

test("B reads what A has not committed, but its reply waits for A's write", async () => {
  await using driver = await Driver.start({ counter });
  await driver.act("counter?key=a", "ping");
  driver.syncs.hold();
  const a = watch(driver.act("counter?key=a", "add", 5));
  const b = watch(driver.act("counter?key=a", "read"));
  await driver.world.idle();
  expect([a.state, b.state]).toEqual(["pending", "pending"]);
  driver.syncs.finish();
  await driver.world.idle();
  expect([a.value?.output, b.value?.output]).toEqual([5, 5]);
});

test("an output waits for the newest batch: a later write's sync, not the one that runs", async () => {
  await using driver = await Driver.start({ counter });
  await driver.act("counter?key=a", "ping");
  driver.syncs.hold();
  const first = watch(driver.act("counter?key=a", "add", 1));
  await driver.world.idle();
  const second = watch(driver.act("counter?key=a", "add", 1));
  const read = watch(driver.act("counter?key=a", "read"));
  await driver.world.idle();
  driver.syncs.finish();
  await driver.world.idle();
  expect([first.state, second.state, read.state]).toEqual(["resolved", "pending", "pending"]);
  driver.syncs.finish();
  await driver.world.idle();
  expect([second.value?.output, read.value?.output]).toEqual([2, 2]);
});

test("with nothing pending an output leaves in the turn that made it", async () => {
  await using driver = await Driver.start({ counter });
  await driver.act("counter?key=a", "add", 1);
  driver.syncs.hold();
  driver.world.holdTurns();
  const read = watch(driver.act("counter?key=a", "read"));
  // Microtasks alone: no macrotask of the runtime's may run.
  for (let index = 0; index < 20; index += 1) await Promise.resolve();
  expect(read.value?.output).toBe(1);
});

test("another actor's pending write delays nobody", async () => {
  await using driver = await Driver.start({ counter });
  await driver.act("counter?key=b", "ping");
  driver.syncs.hold();
  const a = watch(driver.act("counter?key=a", "add", 5));
  await driver.world.idle();
  const b = watch(driver.act("counter?key=b", "ping"));
  await driver.world.idle();
  expect([a.state, b.state]).toEqual(["pending", "resolved"]);
});

test("unconfirmed messages skip the gate, the reply doesn't", async () => {
  await using driver = await Driver.start({ counter });
  const socket = driver.socket("/actor/counter/connect?key=a").hello().subscribe(1, "cursor");
  await driver.world.idle();
  driver.syncs.hold();
  socket.action(2, "move", 7);
  await driver.world.idle();
  expect(socket.story.slice(2)).toEqual(["event cursor [7]", "event cursor [8]"]);
  driver.syncs.letGo();
  await driver.world.idle();
  expect(socket.story.slice(4)).toEqual(["reply 2 7"]);
});

test("error replies are gated too: what was written before the throw counts", async () => {
  await using driver = await Driver.start({ counter });
  await driver.act("counter?key=a", "ping");
  driver.syncs.hold();
  const failed = watch(driver.act("counter?key=a", "addAndFail", 3));
  const unknown = watch(driver.act("counter?key=a", "nothing"));
  await driver.world.idle();
  expect([failed.state, unknown.state]).toEqual(["pending", "pending"]);
  driver.syncs.letGo();
  await driver.world.idle();
  expect([failed.value?.code, unknown.value?.code]).toEqual(["internal.error", "actor.action_not_found"]);
  expect((await driver.act("counter?key=a", "read")).output).toBe(3);
});

test("the welcome of a connection waits for what the connect hooks wrote, and nothing overtakes it", async () => {
  const greeter = actor({
    state: { visits: 0 },
    events: { hello: event<number>() },
    onBeforeConnect: (c) => {
      (c.state as { visits: number }).visits += 1;
    },
    onConnect: (c, conn) => {
      conn.sendUnconfirmed("hello", c.state.visits);
      conn.send("hello", -c.state.visits);
    },
    actions: {},
  });
  await using driver = await Driver.start({ greeter });
  driver.syncs.hold();
  const socket = driver.socket("/actor/greeter/connect").hello();
  await driver.world.idle();
  expect(socket.story).toEqual([]);
  driver.syncs.letGo();
  await driver.world.idle();
  expect(socket.story[0]).toBe("welcome");
  expect(socket.story.slice(1).sort()).toEqual(["event hello [-1]", "event hello [1]"]);
});

test("a failed commit fails its callers, closes sockets with 1011, and harms no neighbour", async () => {
  await using driver = await Driver.start({ counter });
  await driver.act("counter?key=a", "add", 1);
  await driver.act("counter?key=b", "add", 1);
  const socket = driver.socket("/actor/counter/connect?key=a").hello().subscribe(1, "changed");
  await driver.world.idle();
  const before = driver.runtime.host.size;
  // The group fails, then the first of the two alone.
  driver.syncs.failWrites(2);
  const a = watch(driver.act("counter?key=a", "add", 10));
  const b = watch(driver.act("counter?key=b", "add", 10));
  await driver.world.idle();
  expect(a.value).toMatchObject({ code: "storage.commit_failed", status: 500 });
  expect(a.value?.error?.metadata).toEqual({ applied: "no" });
  expect(b.value?.output).toBe(11);
  expect(socket.closed).toEqual({ code: 1011, reason: "actor.broken" });
  expect(socket.story).toEqual(["welcome", "subscribed 1"]);
  expect(driver.runtime.host.size).toBe(before - 1);
  expect(driver.fatal).toBeUndefined();
  // A fresh activation, with what was durable.
  expect((await driver.act("counter?key=a", "read")).output).toBe(1);
  expect((await driver.act("counter?key=a", "add", 1)).output).toBe(2);
});

test("a failed sync breaks every gate with applied: unknown, and the process is told to end", async () => {
  await using driver = await Driver.start({ counter });
  await driver.act("counter?key=a", "add", 1);
  await driver.act("counter?key=b", "add", 1);
  driver.syncs.hold();
  const calls = ["a", "b"].map((key) => watch(driver.act(`counter?key=${key}`, "add", 1)));
  await driver.world.idle();
  driver.syncs.finish(new Error("EIO"));
  await driver.world.idle();
  expect(calls.map((call) => call.value?.error?.metadata)).toEqual([
    { applied: "unknown" },
    { applied: "unknown" },
  ]);
  expect(String(driver.fatal)).toContain("EIO");
});

test("the gate's queue has a limit: the caller is told, and a client that misses an event is closed", async () => {
  await using driver = await Driver.start({ counter });
  const socket = driver.socket("/actor/counter/connect?key=a").hello().subscribe(1, "changed");
  await driver.world.idle();
  driver.syncs.hold();
  const burst = watch(driver.act("counter?key=a", "burst", limits.gateOutputs + 1));
  await driver.world.idle();
  expect(burst.value).toMatchObject({ code: "gate.full", status: 503 });
  driver.syncs.letGo();
  await driver.world.idle();
  // It would have a gap that nobody told it of.
  expect(socket.closed).toMatchObject({ reason: "gate.full" });
  expect((await driver.act("counter?key=a", "read")).output).toBe(1);
});

test("a change inside a Map, which no trap sees, is waited for like any other; so is a barrier", async () => {
  const tally = actor({
    state: { votes: new Map<string, number>() },
    actions: {
      vote: (c, name: string) => {
        c.state.votes.set(name, (c.state.votes.get(name) ?? 0) + 1);
        return c.state.votes.get(name);
      },
      voteAndSave: async (c, name: string) => {
        c.state.votes.set(name, 9);
        await c.saveState({ immediate: true });
      },
    },
  });
  await using driver = await Driver.start({ tally });
  await driver.act("tally", "vote", "a");
  driver.syncs.hold();
  const vote = watch(driver.act("tally", "vote", "a"));
  await driver.world.idle();
  expect([vote.state, driver.syncs.waiting]).toEqual(["pending", 1]);
  driver.syncs.finish();
  await driver.world.idle();
  expect(vote.value?.output).toBe(2);
  const save = watch(driver.act("tally", "voteAndSave", "b"));
  await driver.world.idle();
  expect(save.state).toBe("pending");
  driver.syncs.letGo();
  await driver.world.idle();
  await driver.crash();
  expect((await driver.act("tally", "vote", "a")).output).toBe(3);
  expect((await driver.act("tally", "vote", "b")).output).toBe(10);
});

test("a call to another actor leaves only when the caller's write is durable", async () => {
  const seen: string[] = [];
  const target = actor({ actions: { hear: (_c, text: string) => void seen.push(text) } });
  const caller = actor({
    state: { count: 0 },
    actions: {
      tell: async (c) => {
        c.state.count += 1;
        await c.client<typeof registryTypes>().target.getOrCreate(["t"]).hear("told");
        return c.state.count;
      },
      resolve: async (c) => {
        c.state.count += 1;
        return await c.client<typeof registryTypes>().target.getOrCreate(["r"]).resolve();
      },
    },
  });
  const registryTypes = {} as { readonly "~types"?: { readonly use: { readonly target: typeof target } } };
  await using driver = await Driver.start({ target, caller });
  await driver.act("target?key=t", "hear", "warm");
  driver.syncs.hold();
  const call = watch(driver.act("caller?key=a", "tell"));
  const resolve = watch(driver.act("caller?key=b", "resolve"));
  await driver.world.idle();
  expect(seen).toEqual(["warm"]);
  expect([call.state, resolve.state]).toEqual(["pending", "pending"]);
  driver.syncs.letGo();
  await driver.world.idle();
  expect(seen).toEqual(["warm", "told"]);
  expect(call.value?.output).toBe(1);
  expect(resolve.value?.output).toMatch(/^[0-9a-f]{32}$/);
});

test("a message on a connection from actor to actor is gated like a call", async () => {
  const seen: string[] = [];
  const target = actor({ actions: { hear: (_c, text: string) => void seen.push(text) } });
  const types = {} as { readonly "~types"?: { readonly use: { readonly target: typeof target } } };
  const connected = new Latch();
  const write = new Latch();
  const caller = actor({
    state: { count: 0 },
    actions: {
      talk: async (c) => {
        const conn = c.client<typeof types>().target.getOrCreate(["t"]).connect();
        await conn.ready;
        connected.open();
        await write.promise;
        c.state.count += 1;
        await conn.hear("told");
        await conn.dispose();
      },
    },
  });
  await using driver = await Driver.start({ target, caller });
  const talk = watch(driver.act("caller", "talk"));
  await connected.promise;
  await driver.world.idle();
  driver.syncs.hold();
  write.open();
  await driver.world.idle();
  expect(driver.syncs.waiting).toBe(1);
  expect(seen).toEqual([]);
  driver.syncs.letGo();
  await driver.world.until(() => talk.state !== "pending");
  expect(seen).toEqual(["told"]);
  expect(talk.value?.code).toBeUndefined();
});

test("saveState({ immediate: true }) is a barrier; without it nothing waits", async () => {
  const steps: string[] = [];
  const saver = actor({
    state: { count: 0 },
    actions: {
      save: async (c) => {
        c.state.count += 1;
        await c.saveState();
        steps.push("not waited");
        await c.saveState({ immediate: true });
        steps.push("durable");
      },
    },
  });
  await using driver = await Driver.start({ saver });
  driver.syncs.hold();
  const call = watch(driver.act("saver", "save"));
  await driver.world.idle();
  expect(steps).toEqual(["not waited"]);
  driver.syncs.letGo();
  await driver.world.idle();
  expect(steps).toEqual(["not waited", "durable"]);
  expect(call.state).toBe("resolved");
});

test("saveState({ immediate: true }) rejects when the commit fails", async () => {
  const caught: string[] = [];
  const saver = actor({
    state: { count: 0 },
    actions: {
      ping: () => 1,
      save: async (c) => {
        c.state.count += 1;
        await c.saveState({ immediate: true }).catch((error: unknown) => caught.push(codeOf(error)));
        throw new Error("a socket would be written to now");
      },
    },
  });
  await using driver = await Driver.start({ saver });
  await driver.act("saver", "ping");
  driver.syncs.failWrites(1);
  const call = await driver.act("saver", "save");
  expect(caught).toEqual(["storage.commit_failed"]);
  expect(call.code).toBe("storage.commit_failed");
});
