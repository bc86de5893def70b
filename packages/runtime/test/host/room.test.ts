import { limits } from "@troupe/protocol";
import { expect, test } from "vitest";
import { Room } from "../../src/host/room.ts";

/** A room whose timers fire when the test says so. */
function openRoom(options: { limit: number; idle?: number; memoryShort?: () => boolean }) {
  let idle = options.idle ?? 0;
  const timers: (() => void)[] = [];
  const room: Room = new Room({
    env: {
      timers: {
        set: (task) => timers.push(task),
        clear: () => {},
      },
    },
    what: "awake actors",
    limit: options.limit,
    makeRoom: () => {
      if (idle === 0) return false;
      idle -= 1;
      void Promise.resolve().then(() => room.leave());
      return true;
    },
    memoryShort: options.memoryShort ?? (() => false),
  });
  const timeOut = (): void => {
    for (const task of timers.splice(0)) task();
  };
  return { room, timeOut };
}

test("past the limit the longest idle sleeps early, and the newcomer gets its place", async () => {
  const { room } = openRoom({ limit: 1, idle: 1 });
  await room.enter();
  await room.enter();
});

test("with nobody idle the newcomer waits, in order, until somebody leaves", async () => {
  const { room } = openRoom({ limit: 1 });
  await room.enter();
  const order: string[] = [];
  const first = room.enter().then(() => order.push("first"));
  const second = room.enter().then(() => order.push("second"));
  room.leave();
  await first;
  expect(order).toEqual(["first"]);
  room.leave();
  await second;
});

test("a newcomer that waits too long is refused, and may try again", async () => {
  const { room, timeOut } = openRoom({ limit: 1 });
  await room.enter();
  const refused = room.enter();
  timeOut();
  await expect(refused).rejects.toMatchObject({ group: "actor", code: "overloaded", retryable: true });
  room.leave();
  await room.enter();
});

test("when memory is short nobody else gets in, but the first one always does", async () => {
  let short = true;
  const { room, timeOut } = openRoom({ limit: 10, memoryShort: () => short });
  await room.enter();
  const refused = room.enter();
  timeOut();
  await expect(refused).rejects.toMatchObject({ code: "overloaded" });
  short = false;
  await room.enter();
});

test("those who wait are limited too", async () => {
  const { room, timeOut } = openRoom({ limit: 1 });
  await room.enter();
  const waiting = Array.from({ length: limits.waitingForWake }, () => room.enter());
  await expect(room.enter()).rejects.toMatchObject({
    code: "overloaded",
    metadata: { limit: limits.waitingForWake },
  });
  timeOut();
  await Promise.allSettled(waiting);
});
