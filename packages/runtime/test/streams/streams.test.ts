/** Actions whose results come in items: in order, behind the gate, no faster than they are taken, by every door. */
import { UserError } from "@troupe/base";
import type { ClientConfig } from "@troupe/client";
import { limits } from "@troupe/protocol";
import { actor, event } from "@troupe/runtime";
import { describe, expect, test } from "vitest";
import { Driver } from "../driver/driver.ts";
import { codeOf, Latch, rejection, watch } from "../driver/watch.ts";

/** What the generators of a story have done. */
class Story {
  readonly told: string[] = [];
  made = 0;

  definition() {
    const story = this;
    return actor({
      state: { count: 0 },
      events: { said: event<[string]>() },
      options: { actionTimeout: 5_000, maxOutgoingMessageSize: 512 * 1024 },
      actions: {
        count: async function* (c, to: number) {
          try {
            for (let n = 1; n <= to; n += 1) {
              story.made = n;
              yield n;
            }
          } finally {
            story.told.push(`finally ${c.aborted ? codeOf(c.abortSignal.reason) : "whole"}`);
          }
        },
        written: async function* (c, to: number) {
          for (let n = 1; n <= to; n += 1) {
            c.state.count += 1;
            c.broadcast("said", `before ${c.state.count}`);
            yield { count: c.state.count, at: new Date(n) };
          }
        },
        breaks: async function* (_c, after: number, what: "user" | "bug" | "value") {
          try {
            for (let n = 1; n <= after; n += 1) yield n as unknown;
            if (what === "user") throw new UserError("enough", { code: "enough", metadata: { after } });
            if (what === "bug") throw new Error("secret");
            yield () => {};
          } finally {
            story.told.push("finally");
          }
        },
        waits: async function* (_c, latch: "first" | "second") {
          if (latch === "second") yield "first";
          await new Promise(() => {});
        },
        tires: async function* (c) {
          try {
            yield "first";
            await new Promise((_, reject) => {
              c.abortSignal.addEventListener("abort", () => reject(new Error("aborted")));
            });
          } finally {
            story.told.push("finally");
          }
        },
        large: async function* (_c, bytes: number) {
          for (;;) {
            story.made += 1;
            yield "x".repeat(bytes);
          }
        },
        later: async (_c, to: number) => {
          await Promise.resolve();
          return (async function* () {
            for (let n = 1; n <= to; n += 1) yield n;
          })();
        },
        plain: () => 7,
        read: (c) => c.state.count,
        nap: (c) => c.sleep(),
      },
    });
  }
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const got: T[] = [];
  for await (const item of items) got.push(item);
  return got;
}

type World = Driver<{ maker: ReturnType<Story["definition"]> }>;

type Handle = ReturnType<ReturnType<World["client"]>["maker"]["getOrCreate"]>;

/** What a handle and a connection have in common. */
type Maker = Pick<
  Handle,
  "count" | "written" | "breaks" | "waits" | "large" | "later" | "plain" | "read" | "action"
>;

/** Every way to the same actor. */
const doors: Readonly<Record<string, (driver: World) => Maker>> = {
  http: (driver) => driver.client().maker.getOrCreate("a"),
  "http in cbor": (driver) => driver.client({ encoding: "cbor" }).maker.getOrCreate("a"),
  socket: (driver) => connected(driver, {}),
  "socket in cbor": (driver) => connected(driver, { encoding: "cbor" }),
  local: (driver) => driver.local().maker.getOrCreate("a"),
};

function connected(driver: World, config: ClientConfig): Maker {
  return driver.client(config).maker.getOrCreate("a").connect();
}

describe.each(Object.keys(doors))("over %s", (door) => {
  async function start() {
    const story = new Story();
    const driver = await Driver.start({ maker: story.definition() });
    const open = doors[door];
    if (open === undefined) throw new Error(`there is no door ${door}`);
    const maker = open(driver);
    return { story, driver, maker, [Symbol.asyncDispose]: () => driver[Symbol.asyncDispose]() };
  }

  test("items come in order, whole, with their types, and the generator ends", async () => {
    await using world = await start();
    const { maker, story } = world;
    expect(await all(maker.count(1_000))).toEqual(Array.from({ length: 1_000 }, (_, n) => n + 1));
    expect(story.told).toEqual(["finally whole"]);
    expect(await all(await maker.written(2))).toEqual([
      { count: 1, at: new Date(1) },
      { count: 2, at: new Date(2) },
    ]);
    expect(await all(maker.count(0))).toEqual([]);
    expect(await all(maker.later(2))).toEqual([1, 2]);
    expect(await all(await maker.action<AsyncIterable<number>>({ name: "count", args: [2] }))).toEqual([
      1, 2,
    ]);
    expect(await maker.plain()).toBe(7);
  });

  test("a caller's time is for all items: then both sides end", async () => {
    await using world = await start();
    const { driver, maker, story } = world;
    const items = await maker.action<AsyncIterableIterator<unknown>>({ name: "tires", timeoutMs: 500 });
    expect(await items.next()).toEqual({ done: false, value: "first" });
    const second = watch(items.next());
    await driver.world.pass(499);
    expect([second.state, story.told]).toEqual(["pending", []]);
    await driver.world.pass(1);
    expect(second.error).toMatchObject({
      group: "client",
      code: "deadline_exceeded",
      metadata: { outcome: "unknown", timeoutMs: 500 },
    });
    await driver.world.until(() => story.told.length === 1);
    expect(await items.next()).toEqual({ done: true, value: undefined });
  });

  test("leaving the loop ends the generator, and its abort signal fires", async () => {
    await using world = await start();
    const { maker, story, driver } = world;
    for await (const n of maker.count(1_000_000)) if (n === 3) break;
    await driver.world.until(() => story.told.length === 1);
    expect(story.told[0]).toMatch(/^finally (request.client_gone|stream.cancelled)$/);
    expect(story.made).toBeLessThan(1_000);
    await driver.world.pass(40_000);
    if (!door.startsWith("socket")) await driver.world.until(() => driver.runtime.host.size === 0);
  });

  test("an error in the middle comes behind the items, with its code", async () => {
    await using world = await start();
    const { maker, story } = world;
    for (const after of [2, 0]) {
      const got: unknown[] = [];
      const failing = async (what: "user" | "bug" | "value"): Promise<string> => {
        try {
          for await (const item of maker.breaks(after, what)) got.push(item);
        } catch (error) {
          return codeOf(error);
        }
        return "whole";
      };
      expect(await failing("user")).toBe("user.enough");
      expect(await failing("bug")).toBe("internal.error");
      expect(await failing("value")).toBe("value.unsupported_type");
      expect(got).toEqual(after === 0 ? [] : [1, 2, 1, 2, 1, 2]);
    }
    expect(story.told).toEqual(Array.from({ length: 6 }, () => "finally"));
  });

  test("a generator stands still while nobody takes its items, by number and by bytes", async () => {
    await using world = await start();
    const { maker, story, driver } = world;
    const stream = await maker.count(1_000_000);
    await stream.next();
    await driver.world.idle();
    expect(story.made).toBeLessThanOrEqual(limits.streamItems * 2 + 2);
    await stream.return();
    story.made = 0;
    const heavy = await maker.large(100_000);
    await heavy.next();
    await driver.world.idle();
    expect(story.made * 100_000).toBeLessThan(limits.streamBytes * 3);
    await heavy.return();
  });

  test("a reader that takes nothing for a minute is given up", async () => {
    await using world = await start();
    const { maker, story, driver } = world;
    const stream = await maker.count(1_000_000);
    await stream.next();
    await driver.world.idle();
    await driver.world.pass(limits.streamStallMs + 1_000);
    await driver.world.until(() => story.told.length === 1);
    expect(story.told).toEqual(["finally stream.stalled"]);
    expect(await rejection(all(stream))).toBe("stream.stalled");
  });

  test("actionTimeout is the time for each next item", async () => {
    await using world = await start();
    const { maker, driver } = world;
    for (const which of ["first", "second"] as const) {
      const got: unknown[] = [];
      const reading = watch(
        (async () => {
          for await (const item of maker.waits(which)) got.push(item);
        })(),
      );
      await driver.world.idle();
      await driver.world.pass(4_900);
      expect(reading.state).toBe("pending");
      await driver.world.pass(200);
      await driver.world.until(() => reading.state !== "pending");
      expect([reading.code, got]).toEqual(["actor.action_timed_out", which === "first" ? [] : ["first"]]);
    }
  });

  test("an item waits for what was written before it, and a failing disk ends the result", async () => {
    await using world = await start();
    const { maker, driver } = world;
    await maker.read();
    driver.syncs.hold();
    const stream = maker.written(2);
    const first = watch(stream[Symbol.asyncIterator]().next());
    await driver.world.idle();
    expect(first.state).toBe("pending");
    driver.syncs.letGo();
    await driver.world.until(() => first.state !== "pending");
    expect(first.value?.value).toMatchObject({ count: 1 });
    driver.syncs.failWrites(1);
    expect(await rejection(all(maker.written(3)))).toBe("storage.commit_failed");
  });

  test("a result that isn't in items can't be iterated", async () => {
    await using world = await start();
    const result = world.maker.action({ name: "plain" });
    expect(await rejection(all(result))).toBe("client.not_a_stream");
    expect(await result).toBe(7);
  });

  test("the caller's signal ends the result, and the generator", async () => {
    await using world = await start();
    const { maker, story, driver } = world;
    const leaving = new AbortController();
    const stream = await maker.action<AsyncIterableIterator<number>>({
      name: "count",
      args: [1_000_000],
      signal: leaving.signal,
    });
    await stream.next();
    leaving.abort();
    expect(await rejection(all(stream))).toBe("client.aborted");
    await driver.world.until(() => story.told.length === 1);
  });
});

test("on a socket items and events keep their order, and both wait for the disk", async () => {
  await using driver = await Driver.start({ maker: new Story().definition() });
  const socket = driver.socket("/actor/maker/connect").hello().subscribe(1, "said");
  await driver.world.idle();
  driver.syncs.hold();
  socket.action(2, "written", 2);
  await driver.world.idle();
  expect(socket.story).toEqual(["welcome", "subscribed 1"]);
  driver.syncs.letGo();
  await driver.world.until(() => socket.story.at(-1) === "end 2");
  const short = socket.story.slice(2).map((line) => line.replace(/\{.*"count":(\d).*/, "$1"));
  expect(short).toEqual([
    'event said ["before 1"]',
    "item 2 1",
    'event said ["before 2"]',
    "item 2 2",
    "end 2",
  ]);
});

test("a socket that goes, and one whose client only takes so much", async () => {
  const story = new Story();
  await using driver = await Driver.start({ maker: story.definition() });
  const socket = driver.socket("/actor/maker/connect").hello().action(1, "count", 1_000_000);
  await driver.world.until(() => socket.frames.length === 1 + limits.streamItems);
  await driver.world.idle();
  expect(socket.frames.length).toBe(1 + limits.streamItems);
  socket.send({ kind: "credit", id: 1, items: 3 }).send({ kind: "credit", id: 99, items: 3 });
  await driver.world.until(() => socket.frames.length === 4 + limits.streamItems);
  socket.send({ kind: "cancel", id: 1 }).send({ kind: "cancel", id: 1 });
  await driver.world.until(() => story.told.length === 1);
  story.made = 0;
  socket.action(2, "count", 1_000_000);
  await driver.world.until(() => story.made > 2);
  socket.close();
  await driver.world.until(() => story.told.length === 2);
  expect(story.told).toEqual(["finally stream.cancelled", "finally stream.cancelled"]);
});

test("a lost connection ends a result, and says that nobody knows the rest", async () => {
  const story = new Story();
  await using driver = await Driver.start({ maker: story.definition() });
  const connection = driver.client().maker.getOrCreate("a").connect();
  const stream = await connection.count(1_000_000);
  await stream.next();
  driver.runtime.gateway.close();
  expect(await rejection(all(stream))).toBe("client.outcome_unknown");
});

test("an actor's stop waits for a result, and cuts off what goes on; its signal fires at once", async () => {
  const story = new Story();
  await using driver = await Driver.start({ maker: story.definition() });
  const maker = driver.client().maker.getOrCreate("a");
  const whole = await maker.count(300);
  await whole.next();
  await maker.nap();
  await driver.world.idle();
  expect((await all(whole)).length).toBe(299);
  const waiting = maker.waits("second");
  const iterator = waiting[Symbol.asyncIterator]();
  await iterator.next();
  const rest = watch(iterator.next());
  await maker.nap();
  await driver.world.pass(4_000);
  expect(rest.state).toBe("pending");
  await driver.world.pass(12_000);
  await driver.world.until(() => rest.state !== "pending");
  expect(rest.code).toMatch(/^actor\.(action_timed_out|stopped)$/);
});

test("a scheduled action runs to its last item, for nobody", async () => {
  const told: string[] = [];
  const timed = actor({
    actions: {
      plan: (c) => c.schedule.after(1_000, "steps"),
      steps: async function* () {
        for (const step of ["one", "two"]) {
          told.push(step);
          yield step;
        }
      },
    },
  });
  await using driver = await Driver.start({ timed });
  await driver.client().timed.getOrCreate("a").plan();
  await driver.world.pass(1_000);
  await driver.world.until(() => told.length === 2);
});

test("a disposed client ends its results", async () => {
  const story = new Story();
  await using driver = await Driver.start({ maker: story.definition() });
  const client = driver.client();
  const [stateless, connected] = await Promise.all([
    client.maker.getOrCreate("a").count(1_000_000),
    client.maker.getOrCreate("a").connect().count(1_000_000),
  ]);
  await Promise.all([stateless.next(), connected.next()]);
  await client.dispose();
  await driver.world.until(() => story.told.length === 2);
  expect(await rejection(all(stateless))).toBe("client.disposed");
});

test("onBeforeActionResponse is given the items as they are, and may replace them", async () => {
  const shout = actor({
    onBeforeActionResponse: (_c, _name, _args, output) =>
      (async function* () {
        for await (const item of output as AsyncIterable<string>) yield item.toUpperCase();
      })(),
    actions: {
      say: async function* () {
        yield "a";
        yield "b";
      },
    },
  });
  await using driver = await Driver.start({ shout });
  expect(await all(driver.client().shout.getOrCreate("a").say())).toEqual(["A", "B"]);
});

test("an actor takes another one's items, and one that sleeps in the middle ends them", async () => {
  const story = new Story();
  const held = new Latch();
  const reader = actor({
    actions: {
      sum: async (c, to: number) => {
        let sum = 0;
        const maker = c.client<{ "~types"?: { use: { maker: ReturnType<Story["definition"]> } } }>().maker;
        for await (const n of maker.getOrCreate("a").count(to)) sum += n;
        return sum;
      },
      leave: async (c) => {
        const maker = c.client<{ "~types"?: { use: { maker: ReturnType<Story["definition"]> } } }>().maker;
        const stream = await maker.getOrCreate("a").count(1_000_000);
        await stream.next();
        held.open();
        c.sleep();
      },
    },
  });
  await using driver = await Driver.start({ maker: story.definition(), reader });
  if (process.env["TROUPE_TEST_CARRIED"] === "1") {
    // A question of carried code has one answer.
    expect(await rejection(driver.client().reader.getOrCreate("r").sum(10))).toBe("actor.not_carried");
    return;
  }
  expect(await driver.client().reader.getOrCreate("r").sum(1_000)).toBe(500_500);
  await driver.client().reader.getOrCreate("r").leave();
  await held.promise;
  await driver.world.until(() => story.told.length === 2);
});

test("an action's deadline ends the items that it takes of another actor, also where nobody's clock runs but the server's", async () => {
  const story = new Story();
  const reader = actor({
    actions: {
      take: async (c) => {
        const maker = c.client<{ "~types"?: { use: { maker: ReturnType<Story["definition"]> } } }>().maker;
        for await (const _item of maker.getOrCreate("a").tires()) story.told.push("item");
      },
    },
  });
  await using driver = await Driver.start({ maker: story.definition(), reader });
  if (process.env["TROUPE_TEST_CARRIED"] === "1") return;
  const call = watch(driver.client().reader.getOrCreate("r").action({ name: "take", timeoutMs: 500 }));
  await driver.world.pass(499);
  expect(story.told).toEqual(["item"]);
  await driver.world.pass(1);
  expect(call.code).toBe("client.deadline_exceeded");
  await driver.world.until(() => story.told.length === 2);
});
