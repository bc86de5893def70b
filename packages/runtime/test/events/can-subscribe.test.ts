/** canSubscribe: who may listen to an event is asked first, and the order of what a client asks for holds. */
import { actor, type ConnContext, event } from "@troupe/runtime";
import { beforeEach, expect, test } from "vitest";
import { Driver } from "../driver/driver.ts";
import type { TestSocket } from "../driver/socket.ts";
import { Latch } from "../driver/watch.ts";

let asked: Latch | undefined;
beforeEach(() => {
  asked = undefined;
});

const room = actor({
  state: { asked: 0 },
  events: {
    open: event<string>(),
    mine: event<string>({ canSubscribe: (c) => c.conn.params === "ann" }),
    slow: event<string>({
      retain: 3,
      canSubscribe: async (c: ConnContext) => {
        await asked?.promise;
        if (c.conn.params === "late") await new Promise(() => {});
        return c.conn.params === "ann";
      },
    }),
    // @ts-expect-error what is written in JavaScript isn't checked
    wrong: event<string>({ canSubscribe: () => "yes" }),
    broken: event<string>({
      canSubscribe: () => {
        throw new Error("secret");
      },
    }),
    counted: event<string>({
      canSubscribe: (c: ConnContext) => {
        (c.state as { asked: number }).asked += 1;
        return false;
      },
    }),
  },
  actions: {
    say: (c, name: "open" | "mine" | "slow", text: string) => c.broadcast(name, text),
    asked: (c) => c.state.asked,
    nap: (c) => c.sleep(),
  },
});

/** Behind the welcome. Answers have no order among each other. */
function story(socket: TestSocket): string[] {
  const lines = socket.story.slice(1);
  const number = (line: string): number => Number(/^(?:subscribed|error) (\d)/.exec(line)?.[1] ?? 9);
  return lines.sort((a, b) => number(a) - number(b));
}

test("allowed, refused, failing, and not a boolean", async () => {
  await using driver = await Driver.start({ room });
  const ann = driver.socket("/actor/room/connect").hello({ params: "ann" });
  const eve = driver.socket("/actor/room/connect").hello({ params: "eve" });
  for (const socket of [ann, eve]) {
    socket.subscribe(1, "mine").subscribe(2, "open").subscribe(3, "wrong").subscribe(4, "broken");
  }
  await driver.world.idle();
  await driver.act("room", "say", "mine", "a");
  await driver.act("room", "say", "open", "b");
  await driver.world.idle();
  const failures = ["error 3 event.invalid_guard", "error 4 internal.error"];
  expect(story(ann)).toEqual([
    "subscribed 1",
    "subscribed 2",
    ...failures,
    'event mine ["a"]',
    'event open ["b"]',
  ]);
  expect(story(eve)).toEqual(["error 1 auth.forbidden", "subscribed 2", ...failures, 'event open ["b"]']);
});

test("S4.2 (in part) a guard that waits: the subscription is in force before an action that was sent behind it starts", async () => {
  await using driver = await Driver.start({ room });
  asked = new Latch();
  const ann = driver.socket("/actor/room/connect").hello({ params: "ann" });
  ann
    .subscribe(1, "slow")
    .action(2, "say", "slow", "first")
    .subscribe(3, "open")
    .action(4, "say", "open", "x");
  ann.send({ kind: "unsubscribe", event: "slow" }).action(5, "say", "slow", "unheard");
  const eve = driver.socket("/actor/room/connect").hello({ params: "eve" }).subscribe(1, "slow");
  eve.action(2, "say", "slow", "from eve");
  await driver.world.idle();
  expect([ann.story, eve.story]).toEqual([["welcome", "subscribed 3"], ["welcome"]]);
  asked.open();
  await driver.world.idle();
  expect(eve.story.slice(1)).toEqual(["error 1 auth.forbidden", "reply 2 undefined"]);
  const heard = ann.story.slice(2).filter((line) => !line.includes("from eve"));
  expect(heard).toEqual([
    "subscribed 1",
    'event slow ["first"]',
    "reply 2 undefined",
    'event open ["x"]',
    "reply 4 undefined",
    "reply 5 undefined",
  ]);
});

test("a call behind a subscription that waits was let in: a stop waits for it", async () => {
  await using driver = await Driver.start({ room });
  asked = new Latch();
  const ann = driver.socket("/actor/room/connect").hello({ params: "ann" });
  ann.subscribe(1, "slow").action(2, "say", "slow", "first");
  await driver.world.idle();
  await driver.act("room", "nap");
  await driver.world.idle();
  expect(ann.story).toEqual(["welcome"]);
  asked.open();
  await driver.world.until(() => ann.story.length === 4);
  expect(ann.story.slice(1)).toEqual(["subscribed 1", 'event slow ["first"]', "reply 2 undefined"]);
});

test("a guard that never ends, and a client that leaves meanwhile", async () => {
  await using driver = await Driver.start({ room });
  const late = driver.socket("/actor/room/connect").hello({ params: "late" }).subscribe(1, "slow");
  const gone = driver.socket("/actor/room/connect").hello({ params: "late" }).subscribe(1, "slow");
  await driver.world.idle();
  gone.close();
  await driver.world.pass(5_000);
  expect(late.story.slice(1)).toEqual(["error 1 actor.hook_timed_out"]);
  expect(gone.story).toEqual(["welcome"]);
});

test("what a guard wrote is durable before its client hears of it", async () => {
  await using driver = await Driver.start({ room });
  const socket = driver.socket("/actor/room/connect").hello();
  await driver.world.idle();
  driver.syncs.hold();
  socket.subscribe(1, "counted");
  await driver.world.idle();
  expect(socket.story).toEqual(["welcome"]);
  driver.syncs.letGo();
  await driver.world.idle();
  expect(socket.story).toEqual(["welcome", "error 1 auth.forbidden"]);
  expect((await driver.act("room", "asked")).output).toBe(1);
});

test("the client is told, once for each connection, and hears nothing", async () => {
  await using driver = await Driver.start({ room });
  const connection = driver
    .client()
    .room.getOrCreate([], { params: "eve" as never })
    .connect();
  const errors: string[] = [];
  const heard: string[] = [];
  connection.onError((error) => errors.push(`${error.group}.${error.code}`));
  connection.on("mine", (text) => heard.push(text));
  await driver.world.idle();
  await driver.act("room", "say", "mine", "a");
  await driver.world.idle();
  expect([errors, heard]).toEqual([["auth.forbidden"], []]);
});
