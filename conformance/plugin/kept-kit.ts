/**
 * What an actor does beside its answers, in every language: its own queues and schedules, which its host keeps; what keeps it
 * awake; what it is told when nobody waits any more; results that come in items.
 */
import { setup, setupTest } from "@troupe/runtime";
import { expect, type TestContext, test } from "vitest";
import type { ActorUnderTest } from "./actor-kit.ts";

type Find = () => Promise<ActorUnderTest>;

interface Keeper {
  readonly act: (name: string, ...args: unknown[]) => Promise<unknown>;
  readonly send: (queue: string, body: unknown, wait?: boolean) => Promise<unknown>;
  readonly evict: () => Promise<void>;
}

/** An actor of a registry in this process, on real time. */
async function keeperOf(find: Find, context: TestContext): Promise<Keeper> {
  const found = await find();
  if (found.missing !== undefined) return context.skip(found.missing);
  const registry = setup({ use: { keeper: found.definition } });
  const { client, evict } = await setupTest(context, registry, { clock: "real" });
  const handle = client.keeper.getOrCreate(["kept"]);
  return {
    act: (name, ...args) => handle.action({ name, args }),
    send: (queue, body, wait = false) =>
      wait ? handle.send(queue, body, { wait: true }) : handle.send(queue, body),
    evict: () => evict(handle),
  };
}

/** Tests with one actor. */
function story(title: string, find: Find, tell: (keeper: Keeper) => Promise<void>): void {
  test(title, { timeout: 290_000 }, async (context: TestContext) => {
    await tell(await keeperOf(find, context));
  });
}

/** What has been waited for: what is asked says so in the end. */
const soon = { timeout: 60_000 };

/** Registers the stories of its queues. */
export function actorQueueKit(subject: string, find: Find): void {
  story(
    `${subject} actor: queues bring messages to its code, and take them with what it wrote`,
    find,
    async ({ act, send, evict }) => {
      expect(await send("jobs", "one", true)).toEqual({ status: "completed", response: "did one" });
      await send("jobs", "two");
      await send("jobs", "fail once");
      await expect.poll(() => act("get", "done"), soon).toBe("one,two,fail once,");
      await evict();
      expect(await act("get", "done")).toBe("one,two,fail once,");
      await expect(send("nowhere", 1)).rejects.toMatchObject({ group: "queue", code: "not_found" });
    },
  );

  story(
    `${subject} actor: a message whose function always fails is a dead letter after as many deliveries as its queue says`,
    find,
    async ({ act, send, evict }) => {
      const dead = { group: "queue", code: "dead_lettered" };
      await expect(send("trials", "one", true)).rejects.toMatchObject(dead);
      expect(await act("get", "tried")).toBe("2");
      await evict();
      // It isn't brought again, and who comes next has its own deliveries.
      await act("put", "tried", "");
      expect(await send("jobs", "between", true)).toMatchObject({ status: "completed" });
      expect(await act("get", "tried")).toBe("");
      await expect(send("trials", "two", true)).rejects.toMatchObject(dead);
    },
  );

  story(`${subject} actor: it takes messages of its queues itself`, find, async ({ act, send, evict }) => {
    expect(await act("take", 0)).toBeNull();
    await send("inbox", "first");
    await act("sendInbox", "second");
    expect([await act("take", 0), await act("take", 0), await act("take", 0)]).toEqual([
      "first",
      "second",
      null,
    ]);
    const late = act("take", 60_000);
    await send("inbox", "late");
    expect(await late).toBe("late");
    const waits = send("inbox", "to complete", true);
    await expect.poll(() => act("complete", "reply"), soon).toBe("to complete");
    expect(await waits).toEqual({ status: "completed", response: "reply" });
    // Left as it was by a call that fails, it comes again.
    await send("inbox", "again");
    await expect(act("giveUp")).rejects.toMatchObject({ group: "user", code: "gave_up" });
    await expect.poll(() => act("complete", "at last"), soon).toBe("again");
    await evict();
    expect(await act("take", 0)).toBeNull();
  });
}

/** Registers the stories of its schedules. */
export function actorScheduleKit(subject: string, find: Find): void {
  story(
    `${subject} actor: schedules call its actions later, also when it sleeps`,
    find,
    async ({ act, evict }) => {
      const id = await act("later", 3_600_000, "never", "1");
      expect(await act("scheduled")).toEqual(["put"]);
      expect([await act("cancel", id), await act("cancel", id)]).toEqual([true, false]);
      expect(await act("scheduled")).toEqual([]);
      await act("later", 1, "soon", "yes");
      await expect.poll(() => act("get", "soon"), soon).toBe("yes");
      await act("later", 1_500, "asleep", "woke");
      await evict();
      await expect.poll(() => act("get", "asleep"), soon).toBe("woke");
      await expect(act("laterUnknown")).rejects.toMatchObject({ group: "schedule", code: "unknown_action" });
    },
  );

  story(`${subject} actor: jobs call its actions again and again`, find, async ({ act }) => {
    await act("every", "tick", 1_000);
    await act("cron", "daily", "0 9 * * *");
    expect(await act("jobs")).toEqual(["daily", "tick"]);
    await expect.poll(() => act("get", "ticks"), soon).toMatch(/^xx+$/);
    expect([await act("stopJob", "tick"), await act("stopJob", "tick")]).toEqual([true, false]);
    expect(await act("jobs")).toEqual(["daily"]);
    await expect(act("cron", "wrong", "no times")).rejects.toMatchObject({ group: "schedule" });
  });
}

/** Registers the stories of results in items. */
export function actorStreamKit(subject: string, find: Find): void {
  story(
    `${subject} actor: a result comes in items, each with what was written before it`,
    find,
    async ({ act }) => {
      const items: unknown[] = [];
      for await (const item of stream(await act("count", 600))) items.push(item);
      expect(items).toEqual(Array.from({ length: 600 }, (_, at) => at + 1));
      expect(await act("get", "counted")).toBe("600");
      const heard: unknown[] = [];
      const failing = (async () => {
        for await (const item of stream(await act("countAndFail", 3))) heard.push(item);
      })();
      await expect(failing).rejects.toMatchObject({ group: "user", code: "enough" });
      expect(heard).toEqual([1, 2, 3]);
      // Whoever has enough says so, and the actor goes on with others.
      for await (const item of stream(await act("count", 1_000_000))) if (item === 10) break;
      expect(await act("get", "counted")).not.toBe("1000000");
    },
  );
}

/** Registers the story of what keeps it awake: `find` gives one that sleeps as soon as it is idle. */
export function actorAwakeKit(subject: string, find: Find): void {
  test(`${subject} actor: it stays awake for as long as it says so`, {
    timeout: 290_000,
  }, async (context) => {
    const found = await find();
    if (found.missing !== undefined) return context.skip(found.missing);
    const registry = setup({ use: { keeper: found.definition } });
    const { client } = await setupTest(context, registry, { clock: "real" });
    const act = (key: string, name: string) => client.keeper.getOrCreate([key]).action({ name, args: [] });
    // Whoever is asked seldom enough sleeps between.
    const woken = (key: string) =>
      expect.poll(() => act(key, "wakes"), { timeout: 60_000, interval: 500 }).toBeGreaterThan(1);
    expect([await act("held", "hold"), await act("held", "wakes")]).toEqual([null, 1]);
    await woken("other");
    expect(await act("held", "wakes")).toBe(1);
    await act("held", "letGo");
    await woken("held");
  });
}

/** Registers the stories of whoever waits no more. */
export function actorAbortKit(subject: string, find: Find): void {
  test(`${subject} actor: an action is told that its caller is gone, or that the actor is to stop`, {
    timeout: 290_000,
  }, async (context) => {
    const found = await find();
    if (found.missing !== undefined) return context.skip(found.missing);
    const registry = setup({ use: { keeper: found.definition } });
    const { client, evict } = await setupTest(context, registry, { clock: "real" });
    const keeper = (key: string) => client.keeper.getOrCreate([key]);
    const get = (key: string, name: string) => keeper(key).action({ name: "get", args: [name] });
    const left = new AbortController();
    const given = keeper("left").action({ name: "watch", args: ["left"], signal: left.signal });
    await expect.poll(() => get("log", "left"), soon).toBe("watches");
    left.abort();
    await expect(given).rejects.toThrow();
    await expect.poll(() => get("left", "aborted"), soon).toBe("aborted true");
    const cut = keeper("cut").action({ name: "watch", args: ["cut"] });
    await expect.poll(() => get("log", "cut"), soon).toBe("watches");
    await evict(keeper("cut"));
    await cut;
    expect(await get("cut", "aborted")).toBe("aborted true");
  });
}

function stream(result: unknown): AsyncIterable<unknown> {
  if (typeof result === "object" && result !== null && Symbol.asyncIterator in result)
    return result as AsyncIterable<unknown>;
  throw new Error("it is no stream");
}
