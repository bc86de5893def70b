/** What the host keeps for carried code ends with what the code wrote about it, or not at all. */
import { engineLimits } from "@troupe/protocol";
import { CarriedStopReason, encodePayload, KeptAsk, NO_PAYLOAD, Space } from "@troupe/protocol/actor/v1";
import { expect, test } from "vitest";
import type { ActorSaying } from "../../src/ports/carried.ts";
import { Driver } from "../driver/driver.ts";
import { watch } from "../driver/watch.ts";
import { played } from "./code.ts";

const keeps = { kept: true, queues: ["jobs"], consumed: ["jobs"] };

/** A Write of one property that is stored with what the answer of a call does. */
function joined(call: number, key: string, value: unknown): ActorSaying {
  const row = {
    space: Space.STATE,
    key,
    blobKey: NO_PAYLOAD,
    value: encodePayload(value, "json"),
    deleted: false,
  };
  return { $case: "write", value: { rows: [row], alarmChanged: false, alarmAt: 0, joined: call } };
}

function reply(call: number): ActorSaying {
  const value = encodePayload(null, "json");
  return { $case: "reply", value: { call, value, error: undefined, refused: false, begun: false } };
}

/** An actor that was woken by a message, and has been given it. */
async function given(code: ReturnType<typeof played>) {
  const driver = await Driver.start({ played: code.definition });
  void driver.client().getOrCreate("played", []).send("jobs", "a job");
  await driver.world.idle();
  code.newest().started();
  await driver.world.idle();
  driver.takeBatches();
  return { driver, call: code.newest().heard("call").value };
}

test("a message that was handled goes with what was written, in one batch", async () => {
  const code = played("json", keeps);
  const { driver, call } = await given(code);
  await using _ = driver;
  expect(call).toMatchObject({ action: "jobs", attempt: 1 });
  code.newest().say(joined(call.call, "done", true));
  code.newest().event("said", []);
  await driver.world.idle();
  expect(driver.takeBatches()).toEqual([]);
  code.newest().say(reply(call.call));
  await driver.world.idle();
  const [batch = [], ...more] = driver.takeBatches();
  expect(batch.map(({ key, value }) => [key.replace(/\/\d+$/, ""), value === null])).toEqual(
    expect.arrayContaining([
      ["s:done", false],
      ["~q:m:jobs", true],
    ]),
  );
  expect(more).toEqual([]);
});

test("nothing of what was written is stored when the code is gone before it has answered, and the message comes again", async () => {
  const code = played("json", keeps);
  const { driver, call } = await given(code);
  await using _ = driver;
  code.newest().say(joined(call.call, "done", true));
  code.newest().lose();
  await driver.world.idle();
  const acted = watch(driver.act("played", "act"));
  await driver.world.idle();
  expect(code.newest().heard("start").value.rows).toEqual([]);
  code.newest().started();
  await driver.world.idle();
  const calls = code.newest().words.filter((word) => word.$case === "call");
  expect(calls.map(({ value }) => [value.action, value.attempt])).toEqual(
    expect.arrayContaining([
      ["jobs", 2],
      ["act", undefined],
    ]),
  );
  expect(acted.state).toBe("pending");
});

test("code whose queues the host keeps has no rows of its own", async () => {
  const code = played("json", keeps);
  const { driver } = await given(code);
  await using _ = driver;
  const row = { space: Space.OWN, key: "t:1", blobKey: NO_PAYLOAD, value: NO_PAYLOAD, deleted: false };
  code.newest().say({ $case: "write", value: { rows: [row], alarmChanged: false, alarmAt: 0 } });
  await driver.world.idle();
  expect(driver.world.logged("error", "the actor's code said something that can't be")).toHaveLength(1);
});

test("what waits for an answer has a limit", async () => {
  const code = played("json", keeps);
  const { driver, call } = await given(code);
  await using _ = driver;
  code.newest().say(joined(call.call, "done", true));
  for (let word = 0; word < engineLimits.carriedJoinedWords; word += 1) code.newest().event("said", []);
  await driver.world.idle();
  expect(code.newest().heard("stop").value.reason).toBe(CarriedStopReason.BROKEN);
});

test("code that doesn't declare it is told that nothing is kept for it", async () => {
  const code = played();
  await using driver = await Driver.start({ played: code.definition });
  void driver.act("played", "act");
  await driver.world.idle();
  code.newest().started();
  const kept = { ask: KeptAsk.LIST, payload: encodePayload({}, "json"), call: 0 };
  code.newest().say({ $case: "ask", value: { ask: 1, about: { $case: "kept", value: kept } } });
  await driver.world.idle();
  expect(code.newest().heard("answer").value.error).toMatchObject({ code: "not_carried" });
});
