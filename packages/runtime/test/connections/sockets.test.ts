/** A gateway takes so many sockets and no more; a place that is free again is taken again. */
import { limits } from "@troupe/protocol";
import { actor } from "@troupe/runtime";
import { expect, test } from "vitest";
import { Driver } from "../driver/driver.ts";

const echo = actor({ actions: { say: (_c, text: string) => text } });

/** A socket that is open and says nothing, as cheap as can be. */
const mute = { attach: () => {}, send: () => {}, close: () => {}, bufferedBytes: 0 };

test("one socket too many is closed with 1013, and the next finds the place of one that went", async () => {
  await using driver = await Driver.start({ echo });
  const { gateway } = driver.runtime;
  const route = gateway.socketRoute("/actor/echo/connect");
  const leaving = driver.socket("/actor/echo/connect");
  for (let open = 1; open < limits.gatewaySockets; open += 1) gateway.socket(mute, route, undefined);
  const late = driver.socket("/actor/echo/connect").hello();
  await driver.world.idle();
  expect([late.closed, late.frames]).toEqual([{ code: 1013, reason: "connection.too_many" }, []]);
  leaving.close();
  await driver.world.idle();
  const next = driver.socket("/actor/echo/connect").hello().action(1, "say", "hello");
  await driver.world.idle();
  expect(next.story).toEqual(["welcome", 'reply 1 "hello"']);
});
