/** What docs/hibernation.md shows does what the page says. */
import { actor, event } from "troupe";
import { expect, test } from "vitest";
import { Driver } from "../driver/driver.ts";
import { RawClient } from "../driver/raw-client.ts";
import { Latch } from "../driver/watch.ts";
import { actorOfPage } from "./snippet.ts";

test("docs/hibernation.md: a room that sleeps under its sockets, and wakes with all that stays", async () => {
  const room = actorOfPage("hibernation.md", "room", { actor, event });
  await using driver = await Driver.start({ room });
  const socket = driver.socket("/actor/room/connect").hello().subscribe(1, "said").action(2, "say", "a");
  const raw = new RawClient(driver.world, driver.runtime.gateway, "/actor/room/websocket").say("one", "two");
  await driver.world.pass(5_000);
  expect(driver.runtime.host.size).toBe(0);
  socket.action(3, "say", "b");
  raw.say("three");
  await driver.world.idle();
  expect(socket.story).toEqual([
    "welcome",
    "subscribed 1",
    'event said ["a"]',
    "reply 2 1",
    'event said ["b"]',
    "reply 3 2",
  ]);
  expect(raw.heard).toEqual(["1: one", "2: two", "3: three"]);
});

test("docs/hibernation.md: whoever keeps the last index does nothing twice", async () => {
  const stuck = new Latch();
  const audit = (balance: number) => (balance === 12 ? stuck.promise : undefined);
  const account = actorOfPage("hibernation.md", "account", { actor, audit });
  await using driver = await Driver.start({ account });
  const raw = new RawClient(driver.world, driver.runtime.gateway, "/actor/account/websocket").say("5");
  await driver.world.idle();
  const { actorId = "" } = await driver.http("POST", "/actor/account/resolve");
  raw.say("7");
  await driver.world.idle();
  // The activation ends before the audit does.
  const slept = driver.runtime.host.sleep(actorId);
  await driver.world.pass(15_000);
  await slept;
  await driver.world.idle();
  expect((await driver.act("account", "balance")).output).toBe(12);
  stuck.open();
});
