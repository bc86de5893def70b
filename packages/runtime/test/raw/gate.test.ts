/** What leaves on a raw socket, and when: the gate, a failing disk, a stop, a crash. */
import { actor } from "@troupe/runtime";
import { expect, test } from "vitest";
import { Driver } from "../driver/driver.ts";
import { RawClient } from "../driver/raw-client.ts";
import { Latch } from "../driver/watch.ts";

const tally = actor({
  options: { canHibernateWebSocket: false },
  state: { count: 0 },
  onWebSocket: (c, websocket) => {
    websocket.onmessage = (event) => {
      if (event.data === "add") c.state.count += 1;
      websocket.send(`${String(event.data)} ${c.state.count}`);
    };
  },
  actions: { count: (c) => c.state.count },
});

async function opened(driver: Driver<{ tally: typeof tally }>): Promise<RawClient> {
  const client = new RawClient(driver.world, driver.runtime.gateway, "/actor/tally/websocket").say("hello");
  await driver.world.idle();
  expect(client.heard.splice(0)).toEqual(["hello 0"]);
  return client;
}

test("a message waits for the newest batch, and none overtakes another", async () => {
  await using driver = await Driver.start({ tally });
  const client = await opened(driver);
  driver.syncs.hold();
  client.say("add", "read");
  await driver.world.idle();
  client.say("add", "read");
  await driver.world.idle();
  expect(client.heard).toEqual([]);
  driver.syncs.finish();
  await driver.world.idle();
  expect(client.heard).toEqual(["add 1", "read 1"]);
  driver.syncs.letGo();
  await driver.world.idle();
  expect(client.heard).toEqual(["add 1", "read 1", "add 2", "read 2"]);
});

test("a failing disk closes with 1011, nothing that waited gets out, and the next activation serves", async () => {
  await using driver = await Driver.start({ tally });
  const client = await opened(driver);
  const other = await opened(driver);
  driver.syncs.failWrites(1);
  client.say("add", "read");
  await driver.world.idle();
  expect([client.heard, client.closed]).toEqual([[], { code: 1011, reason: "storage.commit_failed" }]);
  expect([other.heard, other.closed?.code]).toEqual([[], 1011]);
  const again = await opened(driver);
  again.say("add");
  await driver.world.idle();
  expect(again.heard).toEqual(["add 1"]);
});

test("a crash in mid-socket: what was heard is on disk", async () => {
  await using driver = await Driver.start({ tally });
  const client = await opened(driver);
  client.say("add", "add");
  await driver.world.idle();
  expect(client.heard).toEqual(["add 1", "add 2"]);
  driver.syncs.hold();
  client.say("add");
  await driver.world.idle();
  await driver.crash();
  expect(client.heard).toEqual(["add 1", "add 2"]);
  expect((await driver.act("tally", "count")).output).toBe(2);
});

test("S2.4 (in part) a message to a stopping actor closes a socket that doesn't hibernate with 1012; an answer that is being made still leaves", async () => {
  const work = new Latch();
  const ends: string[] = [];
  const worker = actor({
    state: { closes: 0 },
    options: { canHibernateWebSocket: false },
    onWebSocket: (c, websocket) => {
      websocket.onmessage = async (event) => {
        await work.promise;
        websocket.send(`did ${String(event.data)}`);
      };
      websocket.onclose = (event) => {
        c.state.closes += 1;
        ends.push(`${event.code} ${event.reason}`);
      };
    },
    actions: { rest: (c) => c.sleep(), closes: (c) => c.state.closes },
  });
  await using driver = await Driver.start({ worker });
  const open = () => new RawClient(driver.world, driver.runtime.gateway, "/actor/worker/websocket");
  const busy = open().say("work");
  const late = open();
  await driver.world.idle();
  await driver.act("worker", "rest");
  await driver.world.idle();
  late.say("too late");
  await driver.world.idle();
  expect([late.closed, busy.closed]).toEqual([{ code: 1012, reason: "actor.restarting" }, undefined]);
  work.open();
  await driver.world.idle();
  expect([busy.heard, busy.closed]).toEqual([["did work"], { code: 1012, reason: "actor.restarting" }]);
  expect(ends).toEqual(["1012 actor.restarting", "1012 actor.restarting"]);
  expect((await driver.act("worker", "closes")).output).toBe(2);
});

test("a destroyed actor closes with 1000, and its close listeners run", async () => {
  const ends: number[] = [];
  const doomed = actor({
    onWebSocket: (_c, websocket) => {
      websocket.addEventListener("close", (event) => ends.push(event.code));
    },
    actions: { end: (c) => c.destroy() },
  });
  await using driver = await Driver.start({ doomed });
  const client = new RawClient(driver.world, driver.runtime.gateway, "/actor/doomed/websocket");
  await driver.world.idle();
  await driver.act("doomed", "end");
  await driver.world.idle();
  expect([client.closed, ends]).toEqual([{ code: 1000, reason: "actor.destroyed" }, [1000]]);
});
