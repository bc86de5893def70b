/** What the hooks stand on, without React: who holds a connection, and what is shown of an action. */
import { expect, test } from "vitest";
import { ActionRuns } from "../../src/react/action-runs.ts";
import { type AnyActorOptions, hashOf, settledOptions, textOf } from "../../src/react/options.ts";
import { SharedActors } from "../../src/react/shared-actors.ts";
import { stage } from "../support/room.ts";
import { settled, watch } from "../support/world.ts";

const options = settledOptions({ name: "room", key: "a" });
const hash = hashOf(options);

function actorsOf({ client, world }: ReturnType<typeof stage>): SharedActors {
  return new SharedActors(client, world.timers);
}

test("holders share one connection; it is closed a moment after the last has left, and not before", async () => {
  const set = stage();
  const actors = actorsOf(set);
  expect(actors.snapshot(hash)).toMatchObject({ connStatus: "idle", connection: null, handle: null });
  let changes = 0;
  const first = actors.hold(hash, options, () => void changes++);
  const second = actors.hold(hash, options);
  const link = await set.gateway.accept();
  expect(set.gateway.dials).toHaveLength(1);
  expect(changes).toBe(1);
  expect(actors.snapshot(hash)).toMatchObject({ connStatus: "connected", error: null });

  first();
  first();
  await set.world.pass(1_000);
  expect(link.closedWith).toBeUndefined();
  second();
  await set.world.pass(99);
  // Back in time.
  const third = actors.hold(hash, options);
  await set.world.pass(1_000);
  expect(link.closedWith).toBeUndefined();
  third();
  await set.world.pass(100);
  expect(link.closedWith).toBe(1000);
  expect(actors.snapshot(hash)).toMatchObject({ connStatus: "idle", connection: null });
  expect(changes).toBe(1);
});

test("who comes after a refusal for good and after all have left tries anew", async () => {
  const set = stage();
  const actors = actorsOf(set);
  const leave = actors.hold(hash, options);
  await (await set.gateway.open()).refuse({ group: "actor", code: "forbidden", message: "No" });
  expect(actors.snapshot(hash)).toMatchObject({ connStatus: "disconnected", error: { code: "forbidden" } });
  leave();
  await set.world.pass(100);
  actors.hold(hash, options);
  await set.gateway.accept();
  expect(actors.snapshot(hash)).toMatchObject({ connStatus: "connected", error: null });
});

test("a name that can't be, and a client that is gone, are errors to show and not exceptions of a render", async () => {
  const set = stage();
  const actors = actorsOf(set);
  actors.hold("bad", { name: "", key: "a" });
  expect(actors.snapshot("bad")).toMatchObject({ connStatus: "disconnected", error: expect.any(Error) });
  await set.client.dispose();
  actors.hold(hash, options);
  expect(actors.snapshot(hash).error).toMatchObject({ code: "disposed" });
  await expect(actors.call(hash, options, { name: "act" })).rejects.toMatchObject({ code: "disposed" });
});

test("a call keeps its connection when everybody has left; one of an actor that isn't enabled isn't made", async () => {
  const set = stage();
  const actors = actorsOf(set);
  const leave = actors.hold(hash, options);
  const link = await set.gateway.accept();
  const call = watch(actors.call(hash, options, { name: "act" }));
  leave();
  await set.world.pass(1_000);
  expect(link.closedWith).toBeUndefined();
  await link.say({ kind: "reply", id: link.idOf("act"), output: 7 });
  expect(call.value).toBe(7);
  await set.world.pass(100);
  expect(link.closedWith).toBe(1000);

  const off = settledOptions({ ...options, enabled: false });
  await expect(actors.call(hash, off, { name: "act" })).rejects.toMatchObject({ code: "not_enabled" });
  expect(set.gateway.dials).toHaveLength(1);
});

test("noCreate finds, anything else finds or creates with the input", async () => {
  const set = stage();
  const actors = actorsOf(set);
  actors.hold("found", { name: "room", key: "a", noCreate: true });
  await settled();
  expect(set.gateway.dial.target).toMatchObject({ method: "get" });
  actors.hold("made", { name: "room", key: "a", createWithInput: { topic: "tea" } });
  await settled();
  expect(set.gateway.dial.target).toMatchObject({ method: "getOrCreate", input: { topic: "tea" } });
});

test("options that say the same are the same, and one that nobody knows is refused by name", () => {
  const same = (a: AnyActorOptions, b: AnyActorOptions): boolean => hashOf(a) === hashOf(b);
  const base = { name: "room", key: ["a"], params: { token: "t", at: new Date(0) } };
  expect(same(base, { params: { at: new Date(0), token: "t" }, key: "a", name: "room" })).toBe(true);
  expect(same(base, { ...base, enabled: false, noCreate: false, createWithInput: 1 })).toBe(true);
  expect(same(base, { ...base, key: ["a", "b"] })).toBe(false);
  expect(same(base, { ...base, params: { token: "t", at: new Date(1) } })).toBe(false);
  expect(same(base, { ...base, noCreate: true })).toBe(false);
  expect(textOf({ a: 1n, b: undefined })).toBe(textOf({ b: undefined, a: 1n }));
  const misspelt: AnyActorOptions & { param: string } = { ...base, param: "t" };
  expect(() => settledOptions(misspelt)).toThrow('useActor has no option "param"');
});

test("what is shown of an action is its newest call", async () => {
  const calls: PromiseWithResolvers<unknown>[] = [];
  const signals: (AbortSignal | undefined)[] = [];
  const runs = new ActionRuns<string>(({ signal }) => {
    const held = Promise.withResolvers<unknown>();
    signal?.addEventListener("abort", () => held.reject(new Error("aborted")));
    signals.push(signal);
    calls.push(held);
    return held.promise;
  });
  const seen: unknown[] = [];
  runs.subscribe(() => seen.push(runs.state()));
  const older = watch(runs.start("one"));
  const newer = watch(runs.start("two"));
  calls[1]?.resolve("second");
  await settled();
  calls[0]?.resolve("first");
  await settled();
  expect([older.value, newer.value]).toEqual(["first", "second"]);
  expect(runs.state()).toEqual({ pending: false, data: "second", error: null });

  void runs.start();
  calls[2]?.reject(new Error("no"));
  await settled();
  expect(runs.state()).toMatchObject({ pending: false, data: "second", error: { message: "no" } });

  const aborted = watch(runs.start());
  expect(runs.state()).toEqual({ pending: true, data: "second", error: null });
  runs.abort();
  await settled();
  expect(aborted.state).toBe("rejected");
  expect(runs.state()).toEqual({ pending: false, data: "second", error: null });
  expect(signals.map((signal) => signal?.aborted)).toEqual([false, false, false, true]);
  expect(seen).toHaveLength(7);
});
