/** Messages that skip the gate: the same for an actor here and for one whose code runs elsewhere. */
import { actor, event } from "@troupe/runtime";
import { expect, test } from "vitest";
import { Driver } from "../driver/driver.ts";

const pointer = actor({
  state: { moves: 0 },
  events: { cursor: event<number>(), moved: event<number>() },
  actions: {
    move: (c, to: number) => {
      c.state.moves += 1;
      c.broadcast("moved", to);
      c.broadcastUnconfirmed("cursor", to);
      return c.state.moves;
    },
  },
});

test("an unconfirmed event leaves at once; a confirmed one that was made before it, and the reply, wait for the disk", async () => {
  await using driver = await Driver.start({ pointer });
  const socket = driver.socket("/actor/pointer/connect").hello().subscribe(1, "cursor").subscribe(2, "moved");
  await driver.world.idle();
  driver.syncs.hold();
  socket.action(3, "move", 7);
  await driver.world.idle();
  expect(socket.story.slice(3)).toEqual(["event cursor [7]"]);
  driver.syncs.letGo();
  await driver.world.idle();
  expect(socket.story.slice(4)).toEqual(["event moved [7]", "reply 3 1"]);
});
