/** What a gateway holds of one client, and of all: counted, in order, and bounded. */
import { limits } from "@troupe/protocol";
import { actor, type UniversalWebSocket } from "@troupe/runtime";
import { expect, test } from "vitest";
import { Held, type HeldTotal } from "../../src/gateway/held.ts";
import { Driver } from "../driver/driver.ts";
import { RawClient } from "../driver/raw-client.ts";
import { codeOf, Latch } from "../driver/watch.ts";

/** A link that notes when it is left unread. */
class Pausing {
  readonly story: string[] = [];
  readonly pause = (): void => void this.story.push("pause");
  readonly resume = (): void => void this.story.push("resume");
}

function holding(total: HeldTotal = { bytes: 0 }) {
  const link = new Pausing();
  return { link, held: new Held<number>(link, total), total };
}

function failure(act: () => unknown): unknown {
  try {
    act();
    return undefined;
  } catch (cause) {
    return codeOf(cause);
  }
}

test("messages are numbered from 1, held over any number of activations, and let go by number", () => {
  const { held, total } = holding();
  expect([held.add(10, 5), held.add(20, 6), held.add(30, 7)]).toEqual([1, 2, 3]);
  held.release(2);
  held.release(2);
  expect([[...held], held.size, total.bytes]).toEqual([
    [
      [1, 10, 5],
      [3, 30, 7],
    ],
    2,
    12,
  ]);
  expect(held.add(40, 1)).toBe(4);
  held.clear();
  expect([held.size, total.bytes]).toEqual([0, 0]);
});

test("heldMessages: past it the link is left unread until half of it is left", () => {
  const { held, link } = holding();
  for (let n = 1; n < limits.heldMessages; n += 1) held.add(n, 1);
  expect([link.story, held.paused]).toEqual([[], false]);
  held.add(0, 1);
  // What had been read already still comes.
  held.add(0, 1);
  expect([link.story, held.paused]).toEqual([["pause"], true]);
  for (let n = 1; n <= limits.heldMessages / 2; n += 1) held.release(n);
  expect(link.story).toEqual(["pause"]);
  held.release(limits.heldMessages / 2 + 1);
  expect([link.story, held.paused]).toEqual([["pause", "resume"], false]);
});

test("heldBytes: the same by size", () => {
  const { held, link } = holding();
  held.add(1, limits.heldBytes / 2);
  held.add(2, limits.heldBytes / 2 - 1);
  expect(link.story).toEqual([]);
  held.add(3, 1);
  expect(link.story).toEqual(["pause"]);
  held.release(1);
  expect(link.story).toEqual(["pause", "resume"]);
});

test("heldMessagesMost: past it nothing is held, and whoever holds says so", () => {
  const { held } = holding();
  for (let n = 0; n < limits.heldMessagesMost; n += 1) held.add(n, 0);
  expect(failure(() => held.add(0, 0))).toBe("connection.held_too_much");
  held.release(1);
  expect(failure(() => held.add(0, 0))).toBeUndefined();
});

test("a link that can't be left unread holds as much as one that can, and one message of any size", () => {
  const held = new Held<number>({}, { bytes: 0 });
  held.add(1, limits.heldBytes * 3);
  expect(failure(() => held.add(2, 1))).toBe("connection.held_too_much");
});

test("gatewayHeldBytes: all clients together; who is gone gives back what it held", () => {
  const total = { bytes: 0 };
  const [one, other] = [holding(total).held, holding(total).held];
  one.add(1, limits.gatewayHeldBytes - 1);
  other.add(1, 1);
  expect(failure(() => other.add(2, 1))).toBe("connection.held_too_much");
  one.clear();
  expect(failure(() => other.add(2, 1))).toBeUndefined();
});

test("S2.4 (in part) who isn't read because too much is held isn't silent, however long its actor wakes", async () => {
  const waking = new Latch();
  let slow = false;
  const sleeper = actor({
    options: {
      sleepTimeout: 1_000,
      onWakeTimeout: 10 * limits.heartbeatMs,
      maxIncomingMessageSize: 1024 * 1024,
    },
    onWake: () => (slow ? waking.promise : undefined),
    onWebSocket: (_c, websocket: UniversalWebSocket) => {
      websocket.onmessage = ({ rivetMessageIndex }) => websocket.send(`${rivetMessageIndex}`);
    },
    actions: { take: (_c, bulk: string) => bulk.length },
  });
  await using driver = await Driver.start({ sleeper });
  const socket = driver.socket("/actor/sleeper/connect").hello();
  const raw = new RawClient(driver.world, driver.runtime.gateway, "/actor/sleeper/websocket");
  const links = [socket.far, raw.far].map((far) => Object.assign(far, new Pausing()));
  await driver.world.pass(1_000);
  slow = true;
  for (let id = 1; id <= 3; id += 1) {
    socket.action(id, "take", "x".repeat(500_000));
    raw.say("x".repeat(500_000));
  }
  await driver.world.pass(5 * limits.heartbeatMs);
  expect([socket.closed, raw.closed, ...links.map(({ story }) => story)]).toEqual([
    undefined,
    undefined,
    ["pause"],
    ["pause"],
  ]);
  waking.open();
  await driver.world.idle();
  expect(socket.story.slice(1)).toEqual(["reply 1 500000", "reply 2 500000", "reply 3 500000"]);
  expect([raw.heard, ...links.map(({ story }) => story)]).toEqual([
    ["1", "2", "3"],
    ["pause", "resume"],
    ["pause", "resume"],
  ]);
});
