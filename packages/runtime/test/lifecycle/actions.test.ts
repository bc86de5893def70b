/** Actions: time-outs, the hooks around them, and what a turn tells of the state. */
import { UserError } from "@troupe/base";
import { limits } from "@troupe/protocol";
import { actor } from "@troupe/runtime";
import { expect, test } from "vitest";
import { Driver } from "../driver/driver.ts";
import { codeOf, Latch, watch } from "../driver/watch.ts";

test("actionTimeout: the caller is told, abort fires, and what is written later counts", async () => {
  const late = new Latch();
  const aborts: string[] = [];
  const slow = actor({
    state: { n: 0 },
    options: { actionTimeout: 300 },
    actions: {
      hang: async (c) => {
        c.abortSignal.addEventListener("abort", () => aborts.push(codeOf(c.abortSignal.reason)));
        await late.promise;
        aborts.push(String(c.aborted));
        c.state.n = 9;
      },
      n: (c) => [c.state.n, c.aborted],
    },
  });
  await using driver = await Driver.start({ slow });
  const hang = watch(driver.act("slow", "hang"));
  await driver.world.pass(299);
  expect(hang.state).toBe("pending");
  await driver.world.pass(1);
  expect(hang.value).toMatchObject({
    status: 408,
    code: "actor.action_timed_out",
    error: { metadata: { action: "hang", timeoutMs: 300 } },
  });
  expect(aborts).toEqual(["actor.action_timed_out"]);
  expect((await driver.act("slow", "n")).output).toEqual([0, false]);
  late.open();
  await driver.world.idle();
  expect(aborts).toEqual(["actor.action_timed_out", "true"]);
  await driver.crash();
  expect((await driver.act("slow", "n")).output).toEqual([9, false]);
});

test("onStateChange: once a turn, with the new state, and it may not write", async () => {
  const told: unknown[] = [];
  const refused: string[] = [];
  let misbehave = false;
  const watched = actor({
    state: { a: 0, b: 0, list: [] as number[] },
    onStateChange: (c, state) => {
      told.push(JSON.parse(JSON.stringify(state)));
      c.broadcast("changed", state.a);
      if (!misbehave) return;
      for (const change of [
        () => (c.state.a = 99),
        () => c.state.list.push(1),
        () => (c.state = { a: 1, b: 1, list: [] }),
        () => delete (c.state as { b?: number }).b,
      ]) {
        try {
          change();
        } catch (error) {
          refused.push(codeOf(error));
        }
      }
    },
    actions: {
      many: async (c) => {
        c.state.a += 1;
        c.state.b += 1;
        await Promise.resolve();
        c.state.list.push(1, 2);
      },
      read: (c) => c.state,
      misbehave: (c) => {
        c.state.a += 1;
      },
    },
  });
  await using driver = await Driver.start({ watched });
  await driver.act("watched", "read");
  await driver.world.idle();
  told.length = 0;
  const socket = driver.socket("/actor/watched/connect").hello().subscribe(1, "changed");
  await driver.world.idle();
  driver.syncs.hold();
  const many = watch(driver.act("watched", "many"));
  await driver.world.idle();
  expect(told).toEqual([{ a: 1, b: 1, list: [1, 2] }]);
  expect(socket.story).toEqual(["welcome", "subscribed 1"]);
  driver.syncs.letGo();
  await driver.world.idle();
  expect(many.state).toBe("resolved");
  expect(socket.story).toEqual(["welcome", "subscribed 1", "event changed [1]"]);
  await driver.act("watched", "read");
  expect(told).toHaveLength(1);
  misbehave = true;
  await driver.act("watched", "misbehave");
  await driver.world.idle();
  expect(refused).toEqual(Array(4).fill("actor.state_mutation_reentrant"));
  // Refused means that nothing changed, in memory or on disk.
  const after = { a: 2, b: 1, list: [1, 2] };
  expect((await driver.act("watched", "read")).output).toEqual(after);
  await driver.crash();
  misbehave = false;
  expect((await driver.act("watched", "read")).output).toEqual(after);
});

test("onBeforeActionResponse sees each result, and may replace it; errors pass by", async () => {
  const seen: unknown[] = [];
  const guarded = actor({
    state: { n: 1 },
    onBeforeActionResponse: async (c, name, args, output) => {
      seen.push([name, args, output]);
      if (name === "refuse") throw new UserError("not for you", { code: "refused" });
      return { wrapped: output, n: c.state.n };
    },
    actions: {
      sync: (_c, text: string) => text,
      async: async (_c, text: string) => text,
      fail: () => {
        throw new UserError("failed", { code: "failed", metadata: { why: 1 } });
      },
      refuse: () => "secret",
    },
  });
  await using driver = await Driver.start({ guarded });
  expect((await driver.act("guarded", "sync", "a")).output).toEqual({ wrapped: "a", n: 1 });
  expect((await driver.act("guarded", "async", "b")).output).toEqual({ wrapped: "b", n: 1 });
  expect(await driver.act("guarded", "fail")).toMatchObject({
    code: "user.failed",
    error: { message: "failed", metadata: { why: 1 } },
  });
  expect((await driver.act("guarded", "refuse")).code).toBe("user.refused");
  expect(seen).toEqual([
    ["sync", ["a"], "a"],
    ["async", ["b"], "b"],
    ["refuse", [], "secret"],
  ]);
});

test("nested actions by dotted names; this-less calls; undefined, null and promises as results", async () => {
  const nested = actor({
    actions: {
      orders: { cancel: (_c, id: number) => `cancelled ${id}`, deep: { list: () => [] } },
      nothing: () => {},
      nil: () => null,
    },
  });
  await using driver = await Driver.start({ nested });
  await using client = driver.client();
  const handle = client.nested.getOrCreate();
  expect(await handle.orders.cancel(3)).toBe("cancelled 3");
  expect(await handle.orders.deep.list()).toEqual([]);
  expect(await handle.nothing()).toBeUndefined();
  expect(await handle.nil()).toBeNull();
});

test("an action that holds up the event loop is named in the log", async () => {
  let work = () => {};
  const heavy = actor({ actions: { spin: () => work() } });
  await using driver = await Driver.start({ heavy });
  await driver.act("heavy", "spin");
  expect(driver.world.logged("warn", "held up")).toEqual([]);
  const { clock } = driver.world;
  const { monotonic } = clock;
  work = () => {
    clock.monotonic = () => monotonic() + limits.eventLoopStallMs + 1;
  };
  await driver.act("heavy", "spin");
  clock.monotonic = monotonic;
  expect(driver.world.logged("warn", "held up")[0]?.fields).toMatchObject({ actor: "heavy", action: "spin" });
});

test("a value that can't be sent fails that call alone, with its place", async () => {
  const odd = actor({
    state: { n: 0 },
    actions: { fn: () => ({ a: [() => 1] }), ok: () => 1, event: (c) => c.broadcast("x", { f: () => 1 }) },
  });
  await using driver = await Driver.start({ odd });
  expect(await driver.act("odd", "fn")).toMatchObject({ status: 400, code: "value.unsupported_type" });
  expect((await driver.act("odd", "fn")).error?.message).toContain("output.a[0]");
  expect((await driver.act("odd", "event")).code).toBe("value.unsupported_type");
  expect((await driver.act("odd", "ok")).output).toBe(1);
});

test("a turn that writes more than a batch may hold fails alone, and nothing of it is stored", async () => {
  const greedy = actor({
    state: { kept: 1 } as Record<string, unknown>,
    actions: {
      fill: (c, parts: number) => {
        for (let part = 0; part < parts; part += 1)
          c.state[`p${part}`] = new Uint8Array(limits.statePropertyBytes - 100);
      },
      keys: (c) => Object.keys(c.state),
    },
  });
  await using driver = await Driver.start({ greedy });
  const parts = Math.ceil(limits.batchBytes / (limits.statePropertyBytes - 100)) + 1;
  expect((await driver.act("greedy", "fill", parts)).code).toBe("storage.batch_too_large");
  await driver.world.idle();
  expect((await driver.act("greedy", "keys")).output).toEqual(["kept"]);
});
