/** The whole way of sockets under one actor, on virtual time: asleep, a start that fails, awake again, and on. */
import { actor, event, type UniversalWebSocket } from "@troupe/runtime";
import { expect, test } from "vitest";
import { Driver } from "../driver/driver.ts";
import { RawClient } from "../driver/raw-client.ts";
import { Latch } from "../driver/watch.ts";

test("S2.7 sockets hibernate, outlive a start that fails and is cleaned up, are restored, and what was held is flushed in order", async () => {
  const waking = new Latch();
  let start: "well" | "badly" | "slowly" = "well";
  const steps: string[] = [];
  const room = actor({
    state: { said: [] as string[] },
    events: { said: event<string>() },
    createConnState: () => ({ lives: 1 }),
    options: { sleepTimeout: 1_000, onWakeTimeout: 60_000 },
    onConnect: () => void steps.push("connect"),
    onWake: async (c) => {
      steps.push(`wake with ${c.conns.size}`);
      if (start === "badly") throw new Error("not now");
      if (start === "slowly") await waking.promise;
    },
    onDisconnect: (_c, conn) => void steps.push(`disconnect after ${conn.state.lives}`),
    onWebSocket: (c, websocket: UniversalWebSocket) => {
      c.conn.state.lives += 1;
      websocket.onmessage = ({ data }) => {
        c.state.said.push(String(data));
        c.broadcast("said", String(data));
        websocket.send(`${c.state.said.length}`);
      };
    },
    actions: { said: (c) => c.state.said.join("") },
  });
  await using driver = await Driver.start({ room });
  const listener = driver.socket("/actor/room/connect").hello().subscribe(1, "said");
  const asker = driver.socket("/actor/room/connect").hello();
  await driver.world.idle();
  const speaker = new RawClient(driver.world, driver.runtime.gateway, "/actor/room/websocket").say("a");
  await driver.world.pass(1_000);
  const { actorId = "" } = await driver.http("POST", "/actor/room/resolve");
  await driver.world.pass(1_000);
  const rows = () => driver.disk.rows(actorId).filter(({ key }) => key.startsWith("conn:")).length;
  expect([driver.runtime.host.size, rows()]).toEqual([0, 3]);

  // A start that fails ends the one who asked, and leaves nothing awake; the others sleep on.
  start = "badly";
  asker.action(1, "said");
  await driver.world.idle();
  expect([asker.closed?.reason, listener.closed, speaker.closed]).toEqual([
    "actor.start_failed",
    undefined,
    undefined,
  ]);
  expect([driver.runtime.host.size, rows()]).toEqual([0, 3]);

  // What is said while it wakes, and while what was held is handed over, comes in the order of its saying.
  start = "slowly";
  speaker.say("b", "c");
  listener.action(2, "said");
  await driver.world.idle();
  speaker.say("d");
  waking.open();
  await Promise.resolve();
  speaker.say("e");
  await driver.world.idle();
  expect(speaker.heard).toEqual(["1", "2", "3", "4", "5"]);
  expect(listener.frames.flatMap((frame) => (frame.kind === "event" ? frame.args : []))).toEqual([
    ..."abcde",
  ]);
  expect(listener.story.some((line) => line.startsWith("reply 2"))).toBe(true);
  // The one that was closed meanwhile is told of once, and its row is gone.
  expect([steps.filter((step) => step.startsWith("disconnect")), rows()]).toEqual([
    ["disconnect after 1"],
    2,
  ]);
  expect(steps.filter((step) => step === "connect")).toHaveLength(3);
  // `resolve` woke it with all three; the start that failed found them too; the last one two.
  expect(steps.filter((step) => step.startsWith("wake")).slice(-2)).toEqual(["wake with 3", "wake with 2"]);
});
