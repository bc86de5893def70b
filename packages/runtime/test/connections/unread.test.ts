/** What all clients of a gateway leave unread together has a limit, and those with most pay for it. */
import { limits } from "@troupe/protocol";
import { actor, event } from "@troupe/runtime";
import { expect, test } from "vitest";
import { Driver } from "../driver/driver.ts";
import { RawClient } from "../driver/raw-client.ts";
import type { TestSocket } from "../driver/socket.ts";

const room = actor({
  events: { said: event<string>() },
  actions: { say: (c) => c.broadcast("said", "hello") },
});

const MIB = 1024 * 1024;

/** A client whose backlog is what the test says. */
class Reading {
  unread = 0;
  readonly socket: TestSocket;

  constructor(driver: Driver<{ room: typeof room }>) {
    this.socket = driver.socket("/actor/room/connect").hello().subscribe(1, "said");
    Object.defineProperty(this.socket.far, "bufferedBytes", { get: () => this.unread });
  }
}

/** Clients that are connected, each within the limit of its own socket. */
async function connect(driver: Driver<{ room: typeof room }>, unread: readonly number[]): Promise<Reading[]> {
  const clients = unread.map(() => new Reading(driver));
  await driver.world.idle();
  for (const [index, client] of clients.entries()) client.unread = unread[index] ?? 0;
  return clients;
}

test("past the total the largest backlogs are closed with 1013, until a quarter of the room is free", async () => {
  await using driver = await Driver.start({ room });
  // 32 × 7 + 4 × 12 = 272 MiB.
  const clients = await connect(driver, [
    ...Array<number>(32).fill(7 * MIB),
    ...Array<number>(4).fill(12 * MIB),
  ]);
  await driver.act("room", "say");
  await driver.world.idle();
  const closed = clients.filter(({ socket }) => socket.closed !== undefined);
  expect(new Set(closed.map(({ socket }) => JSON.stringify(socket.closed)))).toEqual(
    new Set(['{"code":1013,"reason":"connection.slowest_reader"}']),
  );
  const left = clients.filter(({ socket }) => socket.closed === undefined);
  expect(left.reduce((sum, { unread }) => sum + unread, 0)).toBeLessThanOrEqual(
    limits.gatewayUnreadBytes * 0.75,
  );
  expect(closed.filter(({ unread }) => unread === 12 * MIB)).toHaveLength(4);
  expect(left.every(({ socket }) => socket.story.at(-1) === 'event said ["hello"]')).toBe(true);
  // There is room again: those that stayed go on.
  await driver.act("room", "say");
  await driver.world.idle();
  expect(left.filter(({ socket }) => socket.closed !== undefined)).toEqual([]);
});

test("who has read meanwhile is not counted by what was once unread", async () => {
  await using driver = await Driver.start({ room });
  const clients = await connect(driver, Array<number>(17).fill(15 * MIB));
  await driver.act("room", "say");
  await driver.world.idle();
  for (const client of clients.slice(1)) client.unread = 0;
  const more = await connect(driver, Array<number>(5).fill(10 * MIB));
  for (const { socket } of more) socket.send({ kind: "ping" });
  await driver.world.idle();
  expect([...clients, ...more].filter(({ socket }) => socket.closed !== undefined)).toEqual([]);
});

test("raw sockets count as well, and pay as well", async () => {
  const raw = actor({
    onWebSocket: (_c, websocket) => websocket.addEventListener("message", () => websocket.send("answer")),
    actions: {},
  });
  await using driver = await Driver.start({ raw });
  const clients = Array.from(
    { length: 18 },
    () => new RawClient(driver.world, driver.runtime.gateway, "/actor/raw/websocket"),
  );
  await driver.world.idle();
  for (const { far } of clients) Object.defineProperty(far, "bufferedBytes", { get: () => 15 * MIB });
  for (const client of clients) client.say("hello");
  await driver.world.idle();
  const closed = clients.filter((client) => client.closed !== undefined);
  expect(closed[0]?.closed).toEqual({ code: 1013, reason: "connection.slowest_reader" });
  // 12 × 15 MiB are three quarters of the room, or just less.
  expect(clients.length - closed.length).toBe(12);
});
