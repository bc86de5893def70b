/** What the runtime promises of actors whose code is elsewhere, whatever that code does. */
import { limits } from "@troupe/protocol";
import { encodePayload, NO_PAYLOAD, Space } from "@troupe/protocol/actor/v1";
import { expect, test } from "vitest";
import { Driver } from "../driver/driver.ts";
import { watch } from "../driver/watch.ts";
import { played } from "./code.ts";

async function awake(code: ReturnType<typeof played>) {
  const driver = await Driver.start({ played: code.definition });
  const first = watch(driver.act("played", "act", 1));
  await driver.world.idle();
  code.newest().started();
  await driver.world.idle();
  return { driver, first };
}

test("an answer leaves when the writes that were said before it are durable", async () => {
  const code = played();
  const { driver, first } = await awake(code);
  await using _ = driver;
  driver.syncs.hold();
  code.newest().write("count", 1);
  code.newest().reply(1);
  await driver.world.idle();
  expect(first.state).toBe("pending");
  driver.syncs.letGo();
  await driver.world.idle();
  expect(first.value).toMatchObject({ status: 200, output: 1 });
});

test("one Write is one batch, and goes with the row that ends a creation", async () => {
  const code = played();
  await using driver = await Driver.start({ played: code.definition });
  const call = watch(driver.act("played", "act"));
  await driver.world.idle();
  code.newest().write("a", 1);
  code.newest().write("b", 2);
  await driver.world.idle();
  expect(driver.takeBatches()).toEqual([]);
  code.newest().started();
  await driver.world.idle();
  expect(driver.takeBatches().map((rows) => rows.map((row) => row.key))).toEqual([["s:a", "s:b", "created"]]);
  expect(call.state).toBe("pending");
});

test("state is stored in one encoding, and comes back in the code's own", async () => {
  const json = played("json");
  const { driver } = await awake(json);
  await using _ = driver;
  json.newest().write("list", [1, "two"]);
  json.newest().reply(null);
  await driver.world.idle();
  const [, row] = driver.takeBatches().flat();
  expect(row?.value).toEqual(encodePayload([1, "two"], "cbor"));
  const stopping = driver.restart();
  await driver.world.idle();
  json.newest().say({ $case: "stopped", value: { connections: [], sockets: [] } });
  await stopping;
  void driver.act("played", "act");
  await driver.world.idle();
  expect(
    json
      .newest()
      .heard("start")
      .value.rows.find((found) => found.key === "list"),
  ).toMatchObject({
    space: Space.STATE,
    value: encodePayload([1, "two"], "json"),
  });
});

test("a carrier that is lost: what was written is stored, calls fail with their type, the next call opens another", async () => {
  const code = played();
  const { driver, first } = await awake(code);
  await using _ = driver;
  code.newest().write("count", 7);
  code.newest().lose();
  await driver.world.idle();
  expect(first.value).toMatchObject({ status: 502, code: "plugin.lost", error: { retryable: false } });
  const second = watch(driver.act("played", "act"));
  await driver.world.idle();
  expect(code.carriers).toHaveLength(2);
  expect(code.newest().heard("start").value.rows).toMatchObject([{ key: "created" }, { key: "count" }]);
  code.newest().started();
  await driver.world.idle();
  code.newest().reply("back");
  await driver.world.idle();
  expect(second.value).toMatchObject({ status: 200, output: "back" });
});

test("a carrier that is lost during a start: the call was not let in, and may be made again", async () => {
  const code = played();
  await using driver = await Driver.start({ played: code.definition });
  const call = watch(driver.act("played", "act"));
  await driver.world.idle();
  code.newest().lose();
  await driver.world.idle();
  expect(call.value).toMatchObject({ code: "plugin.lost", error: { retryable: true } });
});

test("S1.1 (in part): a carrier that fails to open is an error of that call, and isn't kept", async () => {
  const code = played();
  code.failures.push(new Error("/opt/secret/plugin.so: no such file"));
  await using driver = await Driver.start({ played: code.definition });
  expect(await driver.act("played", "act")).toMatchObject({ status: 500, code: "actor.start_failed" });
  const calls = [1, 2, 3].map((key) => watch(driver.act(`played?key=${key}`, "act")));
  await driver.world.idle();
  expect(code.carriers).toHaveLength(1);
  expect(calls.map((call) => call.state)).toEqual(["pending", "pending", "pending"]);
});

test("a creation that the code refuses leaves nothing", async () => {
  const code = played();
  await using driver = await Driver.start({ played: code.definition });
  const call = watch(driver.act("played", "act"));
  await driver.world.idle();
  code.newest().write("half", true);
  const error = {
    group: "user",
    code: "closed",
    message: "not today",
    metadata: NO_PAYLOAD,
    retryable: false,
  };
  code
    .newest()
    .say({ $case: "started", value: { error: { ...error, public: true, status: 400 }, alarmAt: 0 } });
  await driver.world.idle();
  expect(call.value).toMatchObject({ code: "user.closed" });
  expect(driver.takeBatches()).toEqual([]);
  expect(await driver.http("POST", "/actor/played/resolve?method=get")).toMatchObject({
    code: "actor.not_found",
  });
});

test("S4.1 (in part): connections open, subscribe and close while the code is busy, and events reach them", async () => {
  const code = played();
  const { driver, first } = await awake(code);
  await using _ = driver;
  // The code has been told of the call and says nothing for as long as it likes.
  const socket = driver.socket("/actor/played/connect").hello().subscribe(1, "said");
  await driver.world.idle();
  expect(socket.story).toEqual(["welcome", "subscribed 1"]);
  code.newest().event("said", ["hello"]);
  await driver.world.idle();
  expect(socket.story.at(-1)).toMatch(/said/);
  socket.link.close(1000, "");
  await driver.world.idle();
  expect(first.state).toBe("pending");
  expect(driver.runtime.host.size).toBe(1);
});

test("an unconfirmed event leaves at once, a confirmed one behind the writes", async () => {
  const code = played();
  const { driver } = await awake(code);
  await using _ = driver;
  const socket = driver.socket("/actor/played/connect").hello().subscribe(1, "said");
  await driver.world.idle();
  driver.syncs.hold();
  code.newest().write("x", 1);
  code.newest().event("said", ["gated"]);
  code.newest().event("said", ["now"], true);
  await driver.world.idle();
  expect(socket.story.slice(2)).toEqual([expect.stringMatching(/now/)]);
  driver.syncs.letGo();
  await driver.world.idle();
  expect(socket.story.slice(3)).toEqual([expect.stringMatching(/gated/)]);
});

test("an event that the code didn't declare reaches nobody, and is in the log", async () => {
  const code = played();
  const { driver } = await awake(code);
  await using _ = driver;
  const socket = driver.socket("/actor/played/connect").hello().subscribe(1, "sad").subscribe(2, "said");
  await driver.world.idle();
  code.newest().event("sad", ["?"]);
  code.newest().event("said", ["!"]);
  await driver.world.idle();
  expect(socket.story.slice(3)).toEqual([expect.stringMatching(/said/)]);
  const [line] = driver.world.logged("error", "the actor's code said something that can't be");
  expect(line?.fields).toMatchObject({
    what: "event",
    cause: { group: "actor", code: "undeclared_event", metadata: { event: "sad", nearest: "said" } },
  });
});

test("code that declares no events may send any, as a definition without events may", async () => {
  const code = played("json", { events: [] });
  const { driver } = await awake(code);
  await using _ = driver;
  const socket = driver.socket("/actor/played/connect").hello().subscribe(1, "any");
  await driver.world.idle();
  code.newest().event("any", [1]);
  await driver.world.idle();
  expect(socket.story.slice(2)).toEqual([expect.stringMatching(/any/)]);
});

test("an event that is too long is in the log, with listeners and without", async () => {
  const code = played("json", { options: { maxOutgoingMessageSize: 100 } });
  const { driver } = await awake(code);
  await using _ = driver;
  const logged = () => driver.world.logged("error", "the actor's code said something that can't be").length;
  code.newest().event("said", ["x".repeat(101)]);
  await driver.world.idle();
  expect(logged()).toBe(1);
  const socket = driver.socket("/actor/played/connect").hello().subscribe(1, "said");
  await driver.world.idle();
  code.newest().event("said", ["x".repeat(101)]);
  await driver.world.idle();
  expect(logged()).toBe(2);
  expect(socket.story).toHaveLength(2);
});

test("a state has as many properties as it has everywhere: one more breaks this actor alone", async () => {
  const code = played("cbor");
  const { driver, first } = await awake(code);
  await using _ = driver;
  for (let n = 0; n < limits.stateProperties; n += 1) code.newest().write(`p${n}`, n);
  code.newest().write("p0", "again");
  code.newest().write("p1", undefined);
  code.newest().write("instead", 1);
  code.newest().reply(1);
  await driver.world.idle();
  expect(first.value).toMatchObject({ output: 1 });
  const second = watch(driver.act("played", "act"));
  await driver.world.idle();
  code.newest().write("one more", 1);
  code.newest().reply(2);
  await driver.world.idle();
  expect(second.value).toMatchObject({ code: "state.too_many_properties" });
  // The next activation starts from what is stored: as many as there may be.
  const third = watch(driver.act("played", "act"));
  await driver.world.idle();
  code.newest().started();
  await driver.world.idle();
  code.newest().write("one more", 1);
  await driver.world.idle();
  expect(third.value).toMatchObject({ code: "state.too_many_properties" });
});

test("a row that the code may not write breaks this actor alone", async () => {
  const code = played();
  const { driver, first } = await awake(code);
  await using _ = driver;
  const neighbour = watch(driver.act("played?key=b", "act"));
  await driver.world.idle();
  const ear = code.newest().ear;
  code.newest().started();
  await driver.world.idle();
  const bad = { space: Space.OWN, key: "s:forged", blobKey: NO_PAYLOAD, value: NO_PAYLOAD, deleted: false };
  ear?.heard({ $case: "write", value: { rows: [bad], alarmChanged: false, alarmAt: 0 } });
  ear?.heard({
    $case: "reply",
    value: { call: 1, value: encodePayload(1, "json"), error: undefined, refused: false, begun: false },
  });
  await driver.world.idle();
  expect(neighbour.value).toMatchObject({ code: "actor.bad_row" });
  expect(first.state).toBe("pending");
  expect(driver.world.logged("error", "the actor's code said something that can't be")).toHaveLength(1);
});

test("a row that may not be written while a batch is on its way: of the calls in that batch nobody knows", async () => {
  const code = played();
  const { driver } = await awake(code);
  await using _ = driver;
  code.newest().reply(0);
  const call = watch(driver.act("played", "act"));
  await driver.world.idle();
  driver.syncs.hold();
  code.newest().write("n", 1);
  code.newest().reply(1);
  await driver.world.idle();
  const bad = { space: Space.OWN, key: "s:forged", blobKey: NO_PAYLOAD, value: NO_PAYLOAD, deleted: false };
  code.newest().say({ $case: "write", value: { rows: [bad], alarmChanged: false, alarmAt: 0 } });
  await driver.world.idle();
  driver.syncs.letGo();
  await driver.world.idle();
  expect(call.value).toMatchObject({ code: "actor.bad_row", error: { metadata: { applied: "unknown" } } });
});

test("a property has the size that it has everywhere: a larger one breaks this actor alone, by name", async () => {
  const code = played("cbor");
  const { driver, first } = await awake(code);
  await using _ = driver;
  code.newest().write("large", new Uint8Array(limits.statePropertyBytes + 1));
  code.newest().reply(1);
  await driver.world.idle();
  expect(first.value).toMatchObject({ code: "storage.property_too_large" });
});

test("a call that the code doesn't answer in time ends, the code is told, and a late answer is nobody's", async () => {
  const code = played("json", { options: { actionTimeout: 500 } });
  const { driver, first } = await awake(code);
  await using _ = driver;
  await driver.world.pass(501);
  expect(first.value).toMatchObject({ status: 408, code: "actor.action_timed_out" });
  expect(code.newest().heard("cancel").value).toEqual({ call: 1 });
  code.newest().reply("late");
  await driver.world.idle();
  expect(first.value).toMatchObject({ status: 408 });
});

test("a call whose write is stored and whose answer comes later isn't told that nothing was applied", async () => {
  const code = played();
  const { driver, first } = await awake(code);
  await using _ = driver;
  code.newest().write("count", 1);
  await driver.world.idle();
  const second = watch(driver.act("played", "other"));
  await driver.world.idle();
  driver.syncs.failWrites(1);
  code.newest().write("count", 2);
  await driver.world.idle();
  await driver.world.pass(60_000);
  expect(first.value).toMatchObject({
    code: "storage.commit_failed",
    error: { metadata: { applied: "unknown" } },
  });
  expect(second.value).toMatchObject({
    code: "storage.commit_failed",
    error: { metadata: { applied: "no" } },
  });
});

test("code that doesn't say that it has stopped is left behind after its grace period", async () => {
  const code = played("json", { options: { sleepTimeout: 100, sleepGracePeriod: 300 } });
  const { driver } = await awake(code);
  await using _ = driver;
  code.newest().reply(1);
  await driver.world.idle();
  await driver.world.pass(101);
  expect(code.newest().heard("stop").value).toMatchObject({ graceMs: 300 });
  const held = watch(driver.act("played", "act"));
  await driver.world.pass(200);
  expect(held.state).toBe("pending");
  await driver.world.pass(1_200);
  expect(code.newest().words.filter((word) => word.$case === "start")).toHaveLength(2);
  expect(
    driver.world.logged("warn", "the actor's code didn't stop in its grace period; it is left behind"),
  ).toHaveLength(1);
});

test("a host that stops waits for code that doesn't start no longer than for code that doesn't stop", async () => {
  const code = played("json", { options: { sleepGracePeriod: 300, onWakeTimeout: 60_000 } });
  await using driver = await Driver.start({ played: code.definition });
  const call = watch(driver.act("played", "act"));
  await driver.world.idle();
  const stopping = watch(driver.restart());
  await driver.world.pass(299);
  expect([call.state, stopping.state]).toEqual(["pending", "pending"]);
  await driver.world.pass(2);
  expect(call.value).toMatchObject({ status: 503, error: { code: "stopping" } });
  expect(stopping.state).not.toBe("pending");
});

test("an action that the code didn't declare is refused without asking it", async () => {
  const code = played();
  const { driver } = await awake(code);
  await using _ = driver;
  const words = code.newest().words.length;
  expect(await driver.act("played", "hidden")).toMatchObject({ status: 404, code: "actor.action_not_found" });
  expect(code.newest().words).toHaveLength(words);
});

test("options come from the declaration; one that nobody knows is refused by name", async () => {
  const code = played("json", { options: { sleepTimout: 1 } });
  await using driver = await Driver.start({ played: code.definition });
  const answer = await driver.act("played", "act");
  expect(answer).toMatchObject({ code: "config.unknown_option" });
  expect(answer.error?.message).toContain("sleepTimeout");
});

test("raw bytes go in and out as they are", async () => {
  const code = played("raw");
  const { driver } = await awake(code);
  await using _ = driver;
  // The first call's argument is a number.
  expect(code.newest().words.some((word) => word.$case === "call")).toBe(false);
  const call = watch(
    driver
      .local()
      .played.getOrCreate([])
      .action({ name: "act", args: [Uint8Array.of(1, 2)] }),
  );
  await driver.world.idle();
  expect(code.newest().heard("call").value.args).toEqual(Uint8Array.of(1, 2));
  code.newest().reply(Uint8Array.of(3));
  await driver.world.idle();
  expect(call.value).toEqual(Uint8Array.of(3));
});

test("destroyed by its own word: gone with the batch that said so", async () => {
  const code = played();
  const { driver, first } = await awake(code);
  await using _ = driver;
  code.newest().say({ $case: "end", value: { reason: 2 } });
  code.newest().reply("bye");
  await driver.world.idle();
  code.newest().say({ $case: "stopped", value: { connections: [], sockets: [] } });
  await driver.world.idle();
  expect(first.value).toMatchObject({ output: "bye" });
  expect(await driver.http("POST", "/actor/played/resolve?method=get")).toMatchObject({
    code: "actor.not_found",
  });
});

test("the registry's end closes the carrier, once", async () => {
  const code = played();
  const { driver } = await awake(code);
  await using _ = driver;
  code.newest().reply(1);
  await driver.world.idle();
  const stopping = driver.runtime.stop();
  await driver.world.idle();
  code.newest().say({ $case: "stopped", value: { connections: [], sockets: [] } });
  await stopping;
  expect(code.newest().closed).toBe(1);
});

test("code that keeps no idempotency keys gets no call with one; code that isn't serial can't ask to be", async () => {
  const code = played();
  const { driver } = await awake(code);
  await using _ = driver;
  const keyed = await driver.http("POST", "/actor/played/action/act", {}, { "idempotency-key": "k" });
  expect(keyed).toMatchObject({ status: 501, code: "actor.idempotency_unsupported" });
  const serial = played("json", { options: { concurrency: "serial" } });
  await using other = await Driver.start({ played: serial.definition });
  expect((await other.act("played", "act")).code).toBe("config.unsupported_option");
});

test("code hears how long its caller waits, and that it waits no longer", async () => {
  const code = played();
  const { driver } = await awake(code);
  await using _ = driver;
  const call = watch(driver.http("POST", "/actor/played/action/act", {}, { "troupe-timeout-ms": "500" }));
  await driver.world.idle();
  expect(code.newest().words.at(-1)).toMatchObject({ $case: "call", value: { timeoutMs: 500 } });
  await driver.world.pass(500);
  expect(call.value?.code).toBe("actor.deadline_exceeded");
  expect(code.newest().words.at(-1)).toMatchObject({ $case: "cancel" });
});

test("what code throws is never to be tried again; a call that it refused before it ran may be", async () => {
  const code = played();
  const { driver, first } = await awake(code);
  await using _ = driver;
  const error = { group: "actor", code: "busy", message: "", metadata: NO_PAYLOAD, retryable: true };
  const reply = { value: NO_PAYLOAD, error: { ...error, public: true, status: 503 } };
  const second = watch(driver.act("played", "act"));
  await driver.world.idle();
  for (const [call, refused] of [
    [1, false],
    [2, true],
  ] as const)
    code.newest().say({ $case: "reply", value: { call, ...reply, refused, begun: false } });
  await driver.world.idle();
  expect([first, second].map(({ value }) => value?.error?.retryable)).toEqual([false, true]);
});
