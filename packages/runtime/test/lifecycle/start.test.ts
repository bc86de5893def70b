/** The way into a life: the order of the hooks, what a failing one leaves, and two who come at once. */

import { UserError } from "@troupe/base";
import { limits } from "@troupe/protocol";
import { actor } from "@troupe/runtime";
import { expect, test } from "vitest";
import { Driver } from "../driver/driver.ts";
import { Latch, rejection, watch } from "../driver/watch.ts";

const steps: string[] = [];
const note = (step: string): void => void steps.push(step);
const take = (): string[] => steps.splice(0);

/** Every hook says its name. */
const full = actor({
  createState: (_c, input: { n: number } | undefined) => {
    note(`createState ${JSON.stringify(input)}`);
    return { n: input?.n ?? 0 };
  },
  createVars: (c) => {
    note(`createVars ${c.state.n}`);
    return { opened: c.state.n };
  },
  onMigrate: (_c, isNew) => note(`onMigrate ${isNew}`),
  onCreate: (_c, input) => note(`onCreate ${JSON.stringify(input)}`),
  onWake: (c) => note(`onWake ${c.state.n} ${c.vars.opened}`),
  onSleep: () => note("onSleep"),
  onDestroy: () => note("onDestroy"),
  run: async (c) => {
    note("run");
    await new Promise((resolve) => c.abortSignal.addEventListener("abort", resolve));
    note("run ended");
  },
  actions: {
    get: (c) => {
      note("action");
      return c.state.n;
    },
    set: (c, n: number) => {
      c.state.n = n;
    },
    vars: (c) => c.vars.opened,
  },
});

test("create: onMigrate, createState, onCreate, createVars, onWake, run; wake: onMigrate, createVars, onWake, run", async () => {
  await using driver = await Driver.start({ full });
  take();
  const { actorId } = await driver.http("POST", "/actor/full/create", { input: { n: 5 } });
  expect(take()).toEqual([
    "onMigrate true",
    'createState {"n":5}',
    'onCreate {"n":5}',
    "createVars 5",
    "onWake 5 5",
    "run",
  ]);
  await driver.runtime.host.sleep(actorId ?? "");
  expect(take()).toEqual(["run ended", "onSleep"]);
  await driver.http("POST", "/actor/full/action/get?method=getOrCreate", { input: { n: 99 } });
  expect(take()).toEqual(["onMigrate false", "createVars 5", "onWake 5 5", "run", "action"]);
  await driver.runtime.host.destroy(actorId ?? "");
  expect(take()).toEqual(["run ended", "onDestroy"]);
});

test("input counts at the creation only, and has a limit of its own", async () => {
  await using driver = await Driver.start({ full });
  const call = (input: unknown) => driver.http("POST", "/actor/full/action/get?key=i", { input });
  expect((await call({ n: 1 })).output).toBe(1);
  expect((await call({ n: 2 })).output).toBe(1);
  const huge = await call({ n: 1, text: "x".repeat(limits.inputBytes) });
  expect(huge).toMatchObject({ status: 413, code: "actor.input_too_large" });
});

test("vars belong to an activation: they are made again, and changes don't last", async () => {
  const plain = actor({
    vars: { list: [1] },
    actions: {
      push: (c) => c.vars.list.push(2),
      replace: (c) => {
        c.vars = { list: [] };
      },
      list: (c) => c.vars.list,
    },
  });
  await using driver = await Driver.start({ plain });
  await driver.act("plain?key=a", "push");
  expect((await driver.act("plain?key=b", "list")).output).toEqual([1]);
  await driver.act("plain?key=b", "replace");
  expect((await driver.act("plain?key=b", "list")).output).toEqual([]);
  await driver.restart();
  expect((await driver.act("plain?key=a", "list")).output).toEqual([1]);
});

for (const hook of ["createState", "onCreate", "createVars", "onWake", "onMigrate"] as const) {
  test(`${hook} fails: nothing is left of the creation, and the next call starts anew`, async () => {
    const fail: { error: Error | undefined } = { error: new Error("secret") };
    const hooks = {
      createState: () => ({ made: 1 }),
      onCreate: () => {},
      createVars: () => ({}),
      onWake: () => {},
      onMigrate: () => {},
    };
    const failing = () => {
      if (fail.error !== undefined) throw fail.error;
      return { made: 2 };
    };
    const flaky = actor({
      ...hooks,
      [hook]: failing,
      actions: { state: (c: { state: unknown }) => c.state },
    });
    await using driver = await Driver.start({ flaky });
    const masked = await driver.act("flaky", "state");
    expect(masked).toMatchObject({ status: 500, code: "actor.start_failed" });
    expect(masked.text).not.toContain("secret");
    fail.error = new UserError("come back later", { code: "later" });
    expect(await driver.act("flaky", "state")).toMatchObject({ status: 400, code: "user.later" });
    expect(driver.runtime.host.size).toBe(0);
    expect((await driver.http("POST", "/actor/flaky/resolve?method=get")).code).toBe("actor.not_found");
    expect(driver.taken).toEqual([]);
    fail.error = undefined;
    expect((await driver.act("flaky", "state")).output).toEqual({ made: hook === "createState" ? 2 : 1 });
  });
}

test("a start without hooks may fail too: nothing is left, and the next call starts anew", async () => {
  const state: { n: number; odd?: () => void } = { n: 1 };
  const plain = actor({ state, actions: { get: (c: { state: { n: number } }) => c.state.n } });
  // Behind the check of the definition.
  state.odd = () => {};
  await using driver = await Driver.start({ plain });
  expect((await driver.act("plain", "get")).code).toMatch(/^value\./);
  expect(driver.runtime.host.size).toBe(0);
  expect((await driver.http("POST", "/actor/plain/resolve?method=get")).code).toBe("actor.not_found");
  delete state.odd;
  expect((await driver.act("plain", "get")).output).toBe(1);
});

test("a wake that fails keeps the actor, and the next call tries again", async () => {
  let fail = false;
  const flaky = actor({
    state: { n: 0 },
    onWake: (c) => {
      c.state.n += 1;
      if (fail) throw new Error("no");
    },
    actions: { get: (c: { state: { n: number } }) => c.state.n },
  });
  await using driver = await Driver.start({ flaky });
  const { actorId } = await driver.http("POST", "/actor/flaky/resolve");
  await driver.runtime.host.sleep(actorId ?? "");
  fail = true;
  expect((await driver.act("flaky", "get")).code).toBe("actor.start_failed");
  fail = false;
  // What the failing wake wrote was never saved.
  expect((await driver.act("flaky", "get")).output).toBe(2);
  expect((await driver.http("POST", "/actor/flaky/resolve?method=get")).actorId).toBe(actorId);
});

for (const [option, hook] of [
  ["onMigrateTimeout", "onMigrate"],
  ["createStateTimeout", "createState"],
  ["onCreateTimeout", "onCreate"],
  ["createVarsTimeout", "createVars"],
  ["onWakeTimeout", "onWake"],
] as const) {
  test(`options.${option}: a start whose ${hook} takes longer fails`, async () => {
    const slow = actor({
      [hook]: () => new Promise<never>(() => {}),
      actions: { ping: () => 1 },
      options: { [option]: 700 },
    });
    await using driver = await Driver.start({ slow });
    const call = watch(driver.act("slow", "ping"));
    await driver.world.pass(699);
    expect(call.state).toBe("pending");
    await driver.world.pass(1);
    expect(call.value).toMatchObject({ code: "actor.hook_timed_out", status: 504 });
    expect(call.value?.error?.metadata).toEqual({ hook, timeoutMs: 700, id: expect.any(String) });
    expect(driver.runtime.host.size).toBe(0);
  });
}

test("a crash during the creation leaves no half-made actor", async () => {
  let gate = new Latch();
  const inputs: unknown[] = [];
  const slow = actor({
    state: { created: false },
    onCreate: async (c, input: unknown) => {
      inputs.push(input);
      await gate.promise;
      c.state.created = true;
    },
    actions: { state: (c) => c.state },
  });
  const stateless = actor({ onCreate: async () => await gate.promise, actions: { ping: () => "pong" } });
  await using driver = await Driver.start({ slow, stateless });
  void driver.http("POST", "/actor/slow/action/state", { input: 1 });
  void driver.act("stateless", "ping");
  await driver.world.idle();
  await driver.crash({ keepGroups: 99 });
  gate = new Latch();
  // Nobody was told of it: it isn't there.
  for (const name of ["slow", "stateless"]) {
    expect((await driver.http("POST", `/actor/${name}/resolve?method=get`)).code).toBe("actor.not_found");
  }
  gate.open();
  const again = await driver.http("POST", "/actor/slow/action/state", { input: 2 });
  expect(again.output).toEqual({ created: true });
  expect(inputs).toEqual([1, 2]);
});

test("a crash in a creation that has saved already leaves no half-made actor: getOrCreate makes it again", async () => {
  let gate = new Latch();
  const slow = actor({
    state: { steps: 0 },
    onCreate: async (c) => {
      c.state.steps += 1;
      await c.saveState({ immediate: true });
      await gate.promise;
      c.state.steps += 1;
    },
    actions: { steps: (c) => c.state.steps },
  });
  await using driver = await Driver.start({ slow });
  void driver.act("slow", "steps");
  await driver.world.idle();
  expect(driver.takeBatches()).toHaveLength(1);
  await driver.crash();
  gate = new Latch();
  gate.open();
  const [a, b] = await Promise.all([driver.act("slow", "steps"), driver.act("slow", "steps")]);
  expect([a.output, b.output]).toEqual([2, 2]);
});

test("an actor whose state is empty survives a restart as itself", async () => {
  const empty = actor({
    state: {} as Record<string, number>,
    actions: {
      keys: (c) => Object.keys(c.state),
      clear: (c) => {
        c.state = {};
      },
    },
  });
  await using driver = await Driver.start({ empty });
  const first = await driver.http("POST", "/actor/empty/resolve");
  await driver.act("empty", "clear");
  await driver.restart();
  expect((await driver.http("POST", "/actor/empty/resolve?method=get")).actorId).toBe(first.actorId);
});

test("create twice: duplicate_key; two getOrCreate at once: one activation; get of a missing actor; getForId", async () => {
  let starts = 0;
  const one = actor({ onWake: () => void starts++, actions: { id: (c) => c.actorId } });
  await using driver = await Driver.start({ one });
  await using client = driver.client();
  const created = await client.one.create(["k"]);
  expect(await rejection(client.one.create(["k"]))).toBe("actor.duplicate_key");
  expect(await created.id()).toBe(await client.one.get(["k"]).id());
  expect(await client.one.getForId(await created.resolve()).id()).toBe(await created.resolve());
  expect(starts).toBe(1);
  const ids = await Promise.all([1, 2, 3].map(() => client.one.getOrCreate(["together"]).id()));
  expect(new Set(ids).size).toBe(1);
  expect(starts).toBe(2);
  const [first, second] = await Promise.allSettled([
    client.one.create(["twins"]),
    client.one.create(["twins"]),
  ]);
  expect([first?.status, second?.status].sort()).toEqual(["fulfilled", "rejected"]);
  expect(await rejection(client.one.get(["missing"]).id())).toBe("actor.not_found");
  expect(await rejection(client.one.getForId("no-such-id").id())).toBe("actor.not_found");
});

test("getOrCreate that waited for somebody's get is not told that there is no actor", async () => {
  const one = actor({ actions: { id: (c) => c.actorId } });
  await using driver = await Driver.start({ one });
  const [get, getOrCreate] = await Promise.all([
    driver.http("POST", "/actor/one/action/id?method=get"),
    driver.http("POST", "/actor/one/action/id?method=getOrCreate"),
  ]);
  expect([get.code, getOrCreate.status]).toEqual(["actor.not_found", 200]);
});

test("by id and by address at once, and the first goes to sleep meanwhile: nobody waits for himself", async () => {
  const one = actor({ actions: { id: (c) => c.actorId } });
  await using driver = await Driver.start({ one }, { maxAwakeActors: 2 });
  const { actorId = "" } = await driver.http("POST", "/actor/one/resolve?key=a");
  await driver.runtime.host.sleep(actorId);
  const latches = [new Latch(), new Latch()];
  let opened = 0;
  driver.storage.beforeOpen = () => latches[opened++]?.promise;
  const byId = watch(driver.http("POST", `/actor-id/${actorId}/action/id`));
  const byKey = watch(driver.act("one?key=a", "id"));
  await driver.world.idle();
  latches[0]?.fail(new Error("the disk hiccups"));
  await driver.world.idle();
  latches[1]?.open();
  await driver.world.idle();
  expect([byId.state, byKey.state]).toEqual(["resolved", "resolved"]);
});
