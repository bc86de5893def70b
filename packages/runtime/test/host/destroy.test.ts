/** The end for good: durable when somebody is told of it, and known as such by who was connected. */
import { actor } from "@troupe/runtime";
import { expect, test } from "vitest";
import { LocalCall } from "../../src/gateway/local-call.ts";
import { Driver } from "../driver/driver.ts";
import { codeOf, Latch, rejection, watch } from "../driver/watch.ts";

let dying: Latch | undefined;
let ends: string[] = [];
/** What onDestroy does before it waits. */
let lastWork: (() => void) | undefined;
/** It ends itself as soon as it wakes. */
let shortLived = false;
/** What onCreate throws. */
let unmakeable: Error | undefined;

const mortal = actor({
  state: { n: 0 },
  options: { sleepGracePeriod: 60_000 },
  onCreate: async (c) => {
    if (unmakeable === undefined) return;
    await c.schedule.after(10_000, "add");
    await c.saveState({ immediate: true });
    throw unmakeable;
  },
  onWake: (c) => {
    if (shortLived) c.destroy();
  },
  onDestroy: async (c) => {
    ends.push(`onDestroy ${c.state.n}`);
    lastWork?.();
    c.state.n += 1;
    await dying?.promise;
  },
  onSleep: () => void ends.push("onSleep"),
  actions: {
    add: (c) => {
      c.state.n += 1;
      return c.state.n;
    },
    die: (c) => {
      c.destroy();
      return "destroyed";
    },
    dieIn: (c, ms: number) => c.schedule.after(ms, "die"),
    alarm: (c, ms: number) => c.schedule.after(ms, "add"),
  },
});

type Mortals = Driver<{ mortal: typeof mortal }>;

async function start(): Promise<Mortals> {
  dying = undefined;
  ends = [];
  lastWork = undefined;
  shortLived = false;
  unmakeable = undefined;
  return await Driver.start({ mortal });
}

const idOf = async (driver: Mortals): Promise<string> =>
  (await driver.http("POST", "/actor/mortal/resolve")).actorId ?? "";
const byId = (driver: Mortals, id: string) => driver.http("POST", `/actor-id/${id}/action/add`);

/** An actor whose caller was told of its end; then the process dies in the middle of it. */
async function cutOff(driver: Mortals): Promise<string> {
  dying = new Latch();
  const id = await idOf(driver);
  await driver.act("mortal", "add");
  expect((await driver.act("mortal", "die")).output).toBe("destroyed");
  await driver.world.until(() => ends.length > 0);
  await driver.crash();
  dying = undefined;
  return id;
}

test("nobody is told of a destruction before it is durable", async () => {
  await using driver = await start();
  await idOf(driver);
  driver.syncs.hold();
  const told = watch(driver.act("mortal", "die"));
  await driver.world.until(() => driver.syncs.waiting > 0);
  expect(told.state).toBe("pending");
  driver.syncs.letGo();
  await driver.world.until(() => told.state === "resolved");
  expect(told.value?.output).toBe("destroyed");
});

test("an actor whose end was told is gone, also when the process dies before it is done", async () => {
  await using driver = await start();
  const id = await cutOff(driver);
  expect((await byId(driver, id)).code).toBe("actor.not_found");
  expect(driver.disk.rows(id)).toEqual([]);
  expect((await driver.http("POST", "/actor/mortal/resolve?method=get")).code).toBe("actor.not_found");
});

test("what was cut off makes room: getOrCreate and create make another actor", async () => {
  for (const method of ["getOrCreate", "create"]) {
    await using driver = await start();
    const id = await cutOff(driver);
    const next = await driver.http("POST", `/actor/mortal/resolve?method=${method}`);
    expect(next.actorId).toBeTypeOf("string");
    expect(next.actorId).not.toBe(id);
    expect((await driver.act("mortal", "add")).output).toBe(1);
    expect((await driver.http("POST", "/actor/mortal/resolve?method=create")).code).toBe(
      "actor.duplicate_key",
    );
  }
});

test("the alarm of an actor that was cut off finishes its end", async () => {
  await using driver = await start();
  await driver.act("mortal", "alarm", 10_000);
  const id = await cutOff(driver);
  await driver.world.pass(10_000);
  expect(driver.disk.rows(id)).toEqual([]);
  expect(driver.disk.alarms()).toEqual([]);
  expect(driver.world.logged("error", "")).toEqual([]);
});

test("a destruction that can't be stored never was: the caller is told, and the actor lives", async () => {
  await using driver = await start();
  const id = await idOf(driver);
  await driver.act("mortal", "add");
  driver.syncs.failWrites(1);
  expect((await driver.act("mortal", "die")).code).toBe("storage.commit_failed");
  await driver.world.idle();
  expect((await byId(driver, id)).output).toBe(2);
  driver.syncs.failWrites(1);
  expect(await rejection(driver.runtime.host.destroy(id))).toBe("storage.commit_failed");
  expect((await byId(driver, id)).output).toBe(3);
  await driver.runtime.host.destroy(id);
  expect((await byId(driver, id)).code).toBe("actor.not_found");
});

/** Two calls in one turn of the host's: `die`, and `add` behind it. */
function together(driver: Mortals, id: string) {
  const instance = driver.runtime.host.instance(id);
  const nobody = { caller: undefined, chain: undefined, depth: 1, onAbandoned: undefined };
  const terms = { until: undefined, idempotencyKey: undefined, ...nobody };
  const [died, added] = ["die", "add"].map((name) =>
    watch(
      new Promise<unknown>((resolve, reject) => {
        const { afterTurn } = driver.world;
        const ends = { resolve, reject, afterTurn };
        instance?.action(new LocalCall({ name, args: [], params: undefined, terms, ...ends }));
      }),
    ),
  );
  if (died === undefined || added === undefined) throw new Error("two calls were made");
  return { died, added };
}

test("what comes behind the end is not done, and its caller is told so when the end is durable", async () => {
  await using driver = await start();
  const id = await idOf(driver);
  driver.syncs.hold();
  const { died, added } = together(driver, id);
  await driver.world.until(() => driver.syncs.waiting > 0);
  await driver.world.idle();
  expect([died.state, added.state]).toEqual(["pending", "pending"]);
  driver.syncs.letGo();
  await driver.world.until(() => driver.runtime.host.size === 0);
  expect(died.value).toBe("destroyed");
  expect(codeOf(added.error)).toBe("actor.destroyed");
  expect(ends).toEqual(["onDestroy 0"]);
});

test("what a connection sends behind the end has no effect, and its end says why", async () => {
  await using driver = await start();
  const socket = driver.socket("/actor/mortal/connect").hello();
  await driver.world.until(() => socket.story.length === 1);
  socket.action(1, "die");
  for (const id of [2, 3, 4]) socket.action(id, "add");
  await driver.world.until(() => socket.closed !== undefined);
  const said = socket.story.filter((line) => !/^error [234] actor.destroyed$/.test(line));
  expect(said).toEqual(["welcome", 'reply 1 "destroyed"']);
  expect(socket.closed).toEqual({ code: 1000, reason: "actor.destroyed" });
  await driver.world.until(() => driver.runtime.host.size === 0);
  expect(ends).toEqual(["onDestroy 0"]);
});

test("calls at once with the end: whoever is told that something was done finds it done", async () => {
  for (const awake of [true, false]) {
    await using driver = await start();
    const id = await idOf(driver);
    if (!awake) await driver.runtime.host.sleep(id);
    const died = driver.act("mortal", "die");
    const answers = await Promise.all([driver.act("mortal", "add"), driver.act("mortal", "add")]);
    expect((await died).output).toBe("destroyed");
    const done = answers.filter((answer) => answer.code !== "actor.destroyed").map(({ output }) => output);
    expect(done).toEqual([1, 2].slice(0, done.length));
    expect((await driver.act("mortal", "add")).output).toBe(done.length + 1);
  }
});

test("what comes behind an end that can't be stored was not done either, and the actor lives", async () => {
  await using driver = await start();
  const id = await idOf(driver);
  driver.syncs.failWrites(1);
  const { died, added } = together(driver, id);
  await driver.world.until(() => died.state === "rejected" && added.state === "rejected");
  expect([codeOf(died.error), codeOf(added.error)]).toEqual([
    "storage.commit_failed",
    "storage.commit_failed",
  ]);
  expect((await driver.act("mortal", "add")).output).toBe(1);
});

test("an actor that ends itself as it wakes runs nobody's call, and nobody waits for ever", async () => {
  await using driver = await start();
  const id = await idOf(driver);
  await driver.runtime.host.sleep(id);
  shortLived = true;
  expect((await byId(driver, id)).code).toMatch(/^actor\.(not_found|destroyed)$/);
  expect((await driver.act("mortal", "add")).code).toBe("actor.destroyed");
  expect(await rejection(driver.local().mortal.getOrCreate().add())).toBe("actor.destroyed");
  await driver.world.until(() => driver.runtime.host.size === 0);
  shortLived = false;
  expect((await driver.act("mortal", "add")).output).toBe(1);
});

test("a call that was due behind the end does not begin", async () => {
  await using driver = await start();
  await driver.act("mortal", "dieIn", 1_000);
  await driver.act("mortal", "alarm", 1_000);
  await driver.world.pass(1_000);
  await driver.world.until(() => driver.runtime.host.size === 0);
  expect(ends).toEqual(["onDestroy 0"]);
});

test("the disk takes the end and refuses the removal: it is made good, with an alarm or without one", async () => {
  for (const alarm of [true, false]) {
    await using driver = await start();
    const id = await idOf(driver);
    if (alarm) await driver.act("mortal", "alarm", 5_000);
    driver.directory.refusedRemovals = 3;
    expect((await driver.act("mortal", "die")).output).toBe("destroyed");
    await driver.world.until(() => driver.directory.refusedRemovals === 2);
    await driver.world.idle();
    expect(driver.disk.rows(id)).not.toEqual([]);
    await driver.world.pass(1_000 + 2_000 + 4_000);
    expect(driver.disk.rows(id)).toEqual([]);
    expect(driver.disk.alarms()).toEqual([]);
    expect(await driver.directory.get(id)).toBeUndefined();
    expect(driver.world.pendingTimers).toBeLessThan(3);
  }
});

test("who asks while a removal is due finds nobody, and may have a new actor", async () => {
  await using driver = await start();
  const id = await idOf(driver);
  driver.directory.refusedRemovals = 1;
  await driver.act("mortal", "die");
  await driver.world.until(() => driver.directory.refusedRemovals === 0);
  const [old, next] = await Promise.all([byId(driver, id), driver.act("mortal", "add")]);
  expect([old.code, next.output]).toEqual(["actor.not_found", 1]);
  await driver.world.pass(10_000);
  expect((await driver.act("mortal", "add")).output).toBe(2);
});

test("a creation that failed, and whose removal the disk refuses, leaves nothing in the end", async () => {
  await using driver = await start();
  unmakeable = new Error("out of clay");
  driver.directory.refusedRemovals = 1;
  expect((await driver.act("mortal", "add")).code).toBe("actor.start_failed");
  expect(driver.disk.alarms()).toHaveLength(1);
  await driver.world.pass(1_000);
  expect(driver.disk.alarms()).toEqual([]);
  unmakeable = undefined;
  expect((await driver.http("POST", "/actor/mortal/resolve?method=create")).actorId).toBeTypeOf("string");
});

test("a creation whose first writes the disk refuses leaves no actor", async () => {
  await using driver = await start();
  driver.syncs.failWrites(1);
  expect((await driver.act("mortal", "add")).code).toBe("storage.commit_failed");
  await driver.world.until(() => driver.runtime.host.size === 0);
  const { actors } = await driver.directory.list({ namespace: "default", limit: 10 });
  expect(actors).toEqual([]);
});

test("an actor whose end could not be stored rings for its schedule", async () => {
  await using driver = await start();
  await driver.act("mortal", "alarm", 10_000);
  driver.syncs.failWrites(1);
  expect((await driver.act("mortal", "die")).code).toBe("storage.commit_failed");
  await driver.world.pass(10_000);
  expect(driver.disk.alarms()).toEqual([]);
  expect((await driver.act("mortal", "add")).output).toBe(2);
});

test("an actor whose end is stored goes, also when what onDestroy wrote could not be", async () => {
  await using driver = await start();
  const id = await idOf(driver);
  dying = new Latch();
  lastWork = () => driver.syncs.failWrites(1);
  expect((await driver.act("mortal", "die")).output).toBe("destroyed");
  await driver.world.until(() => ends.length > 0);
  dying.open();
  await driver.world.until(() => driver.runtime.host.size === 0);
  expect(driver.disk.rows(id)).toEqual([]);
  expect((await byId(driver, id)).code).toBe("actor.not_found");
});

test("a socket of a destroyed actor is closed for good, behind what was said; so is one that outlived its sleep", async () => {
  await using driver = await start();
  const id = await idOf(driver);
  const sleeping = driver.socket("/actor/mortal/connect").hello();
  await driver.world.until(() => sleeping.story.length === 1);
  await driver.runtime.host.sleep(id);
  await driver.world.idle();
  expect(sleeping.closed).toBe(undefined);
  const socket = driver.socket("/actor/mortal/connect").hello();
  socket.action(1, "die");
  await driver.world.until(() => socket.closed !== undefined);
  expect(socket.story).toEqual(["welcome", 'reply 1 "destroyed"']);
  expect(socket.closed).toEqual({ code: 1000, reason: "actor.destroyed" });
  expect(sleeping.closed).toBeDefined();
});

test("a connected client is told, and doesn't make the actor anew by itself", async () => {
  for (const kind of ["client", "local"] as const) {
    await using driver = await start();
    const client = driver[kind]();
    const conn = client.mortal.getOrCreate().connect();
    const errors: string[] = [];
    conn.onError((error) => void errors.push(codeOf(error)));
    const id = await idOf(driver);
    await driver.world.until(() => conn.isConnected);
    expect(await conn.die()).toBe("destroyed");
    await driver.world.until(() => conn.connStatus === "disconnected");
    await driver.world.pass(60_000);
    expect(errors).toEqual(["actor.destroyed"]);
    expect(driver.runtime.host.size).toBe(0);
    expect(await rejection(conn.add())).toBe("actor.destroyed");
    expect(await idOf(driver)).not.toBe(id);
  }
});
