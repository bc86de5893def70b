/** Retained events: who was away gets what it missed, once and in order, or is told of one gap. */
import { limits } from "@troupe/protocol";
import { actor, event } from "@troupe/runtime";
import { expect, test } from "vitest";
import { Driver } from "../driver/driver.ts";
import type { TestSocket } from "../driver/socket.ts";

const room = actor({
  // What can't be stored keeps its connection from hibernating: a nap closes it.
  createConnState: () => () => {},
  state: { n: 0 },
  events: { said: event<number>({ retain: 5 }), moved: event<number>() },
  options: { sleepTimeout: 1_000 },
  actions: {
    say: (c, count = 1) => {
      for (let index = 0; index < count; index += 1) {
        c.state.n += 1;
        c.broadcast("said", c.state.n);
      }
    },
    whisper: (c) => {
      for (const conn of c.conns.values()) conn.send("said", -1);
      c.broadcastUnconfirmed("said", -2);
    },
    // @ts-expect-error what is written in JavaScript isn't checked
    big: (c) => c.broadcast("said", "x".repeat(limits.retainedEventBytes)),
    // @ts-expect-error what is written in JavaScript isn't checked
    wrong: (c) => c.broadcast("said", () => {}),
    move: (c) => c.broadcast("moved", 1),
    nap: (c) => c.sleep(),
    die: (c) => c.destroy(),
  },
});

type Room = Driver<{ room: typeof room }>;
/** Another version of the program, under the same name. */
const as = (definition: unknown): typeof room => definition as typeof room;

/** `said` and what the gateway says of subscriptions, as it came. */
function heard(socket: TestSocket): unknown[] {
  return socket.frames.flatMap((frame) => {
    if (frame.kind === "event") return [[...frame.args, frame.sequence]];
    if (frame.kind !== "subscribed") return [];
    return [{ sequence: frame.sequence, ...(frame.gap === true ? { gap: true } : {}) }];
  });
}

async function resume(driver: Room, after: number, actorId: string): Promise<TestSocket> {
  const socket = driver.socket("/actor/room/connect").hello();
  socket.send({ kind: "subscribe", id: 1, event: "said", resume: { actorId, after } });
  await driver.world.idle();
  return socket;
}

/** The actor's id; it sleeps behind this. */
async function idOf(driver: Room): Promise<string> {
  const socket = driver.socket("/actor/room/connect").hello();
  await driver.world.idle();
  const [welcome] = socket.frames;
  await driver.act("room", "nap");
  await driver.world.idle();
  return welcome !== undefined && "actorId" in welcome ? String(welcome.actorId) : "";
}

test("a subscription says where it begins, and each event says its place", async () => {
  await using driver = await Driver.start({ room });
  await driver.act("room", "say", 2);
  const socket = driver.socket("/actor/room/connect").hello().subscribe(1, "said").action(2, "say");
  await driver.world.idle();
  expect(heard(socket)).toEqual([{ sequence: 2 }, [3, 3]]);
});

test("one that is back gets what it missed, in front of what comes then; over a crash too", async () => {
  await using driver = await Driver.start({ room });
  await driver.act("room", "say", 3);
  const id = await idOf(driver);
  await driver.act("room", "say", 2);
  await driver.crash();
  const socket = await resume(driver, 2, id);
  socket.action(2, "say");
  await driver.world.idle();
  expect(heard(socket)).toEqual([[3, 3], [4, 4], [5, 5], { sequence: 5 }, [6, 6]]);
});

test("what this very batch holds, and nothing at all", async () => {
  await using driver = await Driver.start({ room });
  const id = await idOf(driver);
  await driver.act("room", "say", 2);
  expect(heard(await resume(driver, 2, id))).toEqual([{ sequence: 2 }]);
  expect(heard(await resume(driver, 0, id))).toEqual([[1, 1], [2, 2], { sequence: 2 }]);
});

test("a gap: too old, of another actor's life, or ahead of what there is", async () => {
  await using driver = await Driver.start({ room });
  const id = await idOf(driver);
  await driver.act("room", "say", 8);
  expect(heard(await resume(driver, 3, id))).toHaveLength(6);
  expect(heard(await resume(driver, 2, id))).toEqual([{ sequence: 8, gap: true }]);
  expect(heard(await resume(driver, 7, "another"))).toEqual([{ sequence: 8, gap: true }]);
  expect(heard(await resume(driver, 9, id))).toEqual([{ sequence: 8, gap: true }]);
});

test("no more bytes are kept than they may have: who missed more gets a gap, and who missed less all of it", async () => {
  const half = limits.retainedEventBytes / 2;
  const log = actor({
    events: { said: event<string>({ retain: limits.retainedEvents }) },
    actions: {
      say: (c, count: number) => {
        for (let index = 0; index < count; index += 1) c.broadcast("said", "x".repeat(half));
      },
      nap: (c) => c.sleep(),
    },
  });
  await using driver = await Driver.start({ room: as(log) });
  const most = Math.floor(limits.retainedBytes / half);
  const id = await idOf(driver);
  let kept = 0;
  // In turns of their own, over sleeps and a crash: what is counted is stored with what is kept.
  for (let said = 0; said < 3 * most; said += most / 4) {
    await driver.act("room", "say", most / 4);
    for (const batch of driver.takeBatches())
      for (const { key, value } of batch) if (key.startsWith("~e:")) kept += value === null ? -1 : 1;
    expect(kept).toBeLessThanOrEqual(most);
    if (said === most) await driver.act("room", "nap");
    if (said === 2 * most) await driver.crash();
  }
  expect(kept).toBeGreaterThan((most * 7) / 8);
  expect(heard(await resume(driver, 3 * most - 4, id))).toHaveLength(5);
  expect(heard(await resume(driver, 2 * most - 1, id))).toEqual([{ sequence: 3 * most, gap: true }]);
});

test("an event that isn't retained is a gap for whoever thinks it is", async () => {
  await using driver = await Driver.start({ room });
  const id = await idOf(driver);
  const socket = driver.socket("/actor/room/connect").hello();
  socket
    .send({ kind: "subscribe", id: 1, event: "moved", resume: { actorId: id, after: 1 } })
    .action(2, "move");
  await driver.world.idle();
  expect(heard(socket)).toEqual([{ sequence: undefined, gap: true }, [1, undefined]]);
});

test("only as many are kept as it says, also when a later program says less", async () => {
  await using driver = await Driver.start({ room });
  await driver.act("room", "say", 3);
  driver.takeBatches();
  await driver.act("room", "say", 3);
  const rows = driver.takeBatches().flat();
  expect(rows.filter(({ key, value }) => key.startsWith("~e:") && value !== null)).toHaveLength(3);
  expect(rows.filter(({ key, value }) => key.startsWith("~e:") && value === null)).toHaveLength(1);
  const id = await idOf(driver);
  const less = actor({
    state: { n: 0 },
    events: { said: event<number>({ retain: 2 }) },
    actions: { say: (c) => c.broadcast("said", 0), nap: (c) => c.sleep() },
  });
  await driver.restart({ room: as(less) });
  await driver.act("room", "say");
  expect(heard(await resume(driver, 4, id))).toEqual([{ sequence: 7, gap: true }]);
  expect(heard(await resume(driver, 5, id))).toEqual([[6, 6], [0, 7], { sequence: 7 }]);
});

test("events and the state of their turn are stored together, and nothing is heard before", async () => {
  await using driver = await Driver.start({ room });
  const socket = driver.socket("/actor/room/connect").hello().subscribe(1, "said");
  await driver.world.idle();
  driver.takeBatches();
  driver.syncs.hold();
  socket.action(2, "say", 2);
  await driver.world.idle();
  expect(heard(socket)).toEqual([{ sequence: 0 }]);
  driver.syncs.letGo();
  await driver.world.idle();
  expect(heard(socket)).toEqual([{ sequence: 0 }, [1, 1], [2, 2]]);
  const keys = driver.takeBatches().map((batch) => batch.map(({ key }) => key.slice(0, 2)).sort());
  expect(keys).toEqual([["e:", "s:", "~e", "~e"]]);
});

test("what is sent to one client, or doesn't wait for the disk, has no place", async () => {
  await using driver = await Driver.start({ room });
  const id = await idOf(driver);
  const socket = driver.socket("/actor/room/connect").hello().subscribe(1, "said").action(2, "whisper");
  await driver.world.idle();
  expect(heard(socket).slice(1).sort()).toEqual([
    [-1, undefined],
    [-2, undefined],
  ]);
  expect(heard(await resume(driver, 0, id))).toEqual([{ sequence: 0 }]);
});

test("one that is too large, or can't be sent, is refused and leaves no hole", async () => {
  await using driver = await Driver.start({ room });
  const id = await idOf(driver);
  expect((await driver.act("room", "big")).code).toBe("event.too_large");
  expect((await driver.act("room", "wrong")).status).toBe(400);
  await driver.act("room", "say");
  expect(heard(await resume(driver, 0, id))).toEqual([[1, 1], { sequence: 1 }]);
});

test("the client: over lost connections each event comes once and in order, and no gap is told", async () => {
  await using driver = await Driver.start({ room });
  const connection = driver.client().room.getOrCreate().connect();
  const got: number[] = [];
  const gaps: unknown[] = [];
  connection.on("said", (n) => got.push(n));
  connection.onGap((gap) => gaps.push(gap.events));
  await driver.world.idle();
  await driver.act("room", "say", 2);
  for (let round = 0; round < 3; round += 1) {
    await driver.act("room", "nap");
    await driver.world.idle();
    await driver.act("room", "say", 2);
    await driver.world.pass(30_000);
  }
  expect(got).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  expect(gaps).toEqual([]);
});

test("the client: one gap when it was away for too long, then it goes on; others have theirs as ever", async () => {
  await using driver = await Driver.start({ room });
  const connection = driver.client().room.getOrCreate().connect();
  const story: unknown[] = [];
  connection.on("said", (n) => story.push(n));
  connection.on("moved", () => story.push("moved"));
  connection.onGap((gap) => story.push(gap.events));
  await driver.world.idle();
  await driver.act("room", "say");
  await driver.act("room", "nap");
  await driver.world.idle();
  await driver.act("room", "say", 7);
  await driver.world.pass(30_000);
  await driver.act("room", "say");
  await driver.world.idle();
  expect(story).toEqual([1, ["moved"], ["said"], 9]);
});

test("settings that can't be are refused", () => {
  for (const retain of [-1, 1.5, limits.retainedEvents + 1, "many"]) {
    const said = event<number>({ retain: retain as number });
    expect(() => actor({ events: { said } })).toThrow(expect.objectContaining({ code: "invalid_option" }));
  }
  const said = event<number>({ retain: 1 });
  expect(() => actor({ events: { "a\0": said } })).toThrow(
    expect.objectContaining({ code: "invalid_option" }),
  );
  const guard = { ...event<number>(), canSubscribe: "yes" };
  // @ts-expect-error what is written in JavaScript isn't checked
  expect(() => actor({ events: { guard } })).toThrow(expect.objectContaining({ code: "invalid_option" }));
});
