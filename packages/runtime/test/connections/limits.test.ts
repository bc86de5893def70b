/** What a connection may cost: each limit has its own code, and the neighbours don't notice. */
import { limits } from "@troupe/protocol";
import { actor, event } from "@troupe/runtime";
import { expect, test } from "vitest";
import { Driver } from "../driver/driver.ts";
import { codeOf, Latch, watch } from "../driver/watch.ts";

let work = new Latch();
let opening: Latch | undefined;

const echo = actor({
  events: { big: event<string>(), x: event<number>() },
  onBeforeConnect: async (_c, _params: unknown) => await opening?.promise,
  options: { maxIncomingMessageSize: 2_000, maxOutgoingMessageSize: 3_000 },
  actions: {
    say: (_c, text: string) => text.length,
    repeat: (_c, length: number) => "x".repeat(length),
    hang: async () => await work.promise,
    big: (c, length: number) => c.broadcast("big", "x".repeat(length)),
    emit: (c) => c.broadcast("x", 1),
  },
});
const flood = actor({
  events: { big: event<string>() },
  options: { maxOutgoingMessageSize: limits.outgoingMessageBytes },
  actions: { big: (c, length: number) => c.broadcast("big", "x".repeat(length)) },
});

test("params: 4 KiB, over every door", async () => {
  await using driver = await Driver.start({ echo });
  const params = { text: "x".repeat(limits.connectionParamsBytes) };
  const socket = driver.socket("/actor/echo/connect").hello({ params });
  await driver.world.idle();
  expect(socket.story).toEqual(["refusal connection.params_too_long"]);
  expect((await driver.http("POST", "/actor/echo/action/say", { args: ["a"], params })).code).toBe(
    "connection.params_too_long",
  );
  const local = driver.local().echo.getOrCreate([], { params });
  await expect(local.say("a")).rejects.toMatchObject({ code: "params_too_long" });
});

test.each(["json", "cbor"] as const)(
  "options.maxIncomingMessageSize: a longer call fails with its code, and no other does (%s)",
  async (encoding) => {
    await using driver = await Driver.start({ echo });
    const socket = driver
      .socket("/actor/echo/connect")
      .hello({ encoding })
      .action(1, "say", "ok")
      .action(2, "say", "x".repeat(2_000))
      .action(3, "say", "fine");
    await driver.world.idle();
    expect(socket.story).toEqual(["welcome", "reply 1 2", "error 2 message.incoming_too_long", "reply 3 4"]);
    expect(socket.frames[0]).toMatchObject({ maxIncomingBytes: 2_000 });
    expect(socket.closed).toBeUndefined();
  },
);

test("a client fails a call that its actor doesn't take by itself, and the others go on", async () => {
  await using driver = await Driver.start({ echo });
  for (const encoding of ["json", "cbor"] as const) {
    const conn = driver.client({ encoding }).echo.getOrCreate().connect();
    const codes = (text: string) =>
      Promise.allSettled(["a", text, "b"].map((said) => conn.say(said))).then((ends) =>
        ends.map((end) => (end.status === "fulfilled" ? end.value : codeOf(end.reason))),
      );
    const [early, earlyHuge] = [watch(codes("x".repeat(2_000))), watch(codes("x".repeat(100_000)))];
    await driver.world.pass(1_000);
    const late = watch(codes("x".repeat(2_000)));
    await driver.world.pass(1_000);
    for (const { value } of [early, earlyHuge, late])
      expect(value).toEqual([1, "message.incoming_too_long", 1]);
  }
});

test("options.maxIncomingMessageSize: a longer message that is no call closes its socket with 1009 and its code", async () => {
  await using driver = await Driver.start({ echo });
  const socket = driver
    .socket("/actor/echo/connect")
    .hello()
    .action(1, "say", "ok")
    .subscribe(2, "x".repeat(2_000));
  await driver.world.idle();
  expect(socket.story).toEqual(["welcome", "reply 1 2", "error - message.incoming_too_long"]);
  expect(socket.closed).toEqual({ code: 1009, reason: "message.incoming_too_long" });
});

test("options.maxOutgoingMessageSize: a longer reply is an error of that call, a longer event one of its sender", async () => {
  await using driver = await Driver.start({ echo });
  const socket = driver
    .socket("/actor/echo/connect")
    .hello()
    .subscribe(1, "big")
    .action(2, "repeat", 3_000)
    .action(3, "big", 3_000)
    .action(4, "say", "still here");
  await driver.world.idle();
  expect(socket.story.slice(2)).toEqual([
    "error 2 message.outgoing_too_long",
    "error 3 message.outgoing_too_long",
    "reply 4 10",
  ]);
});

test("an event that is too long is the same error of its sender with listeners and without", async () => {
  await using driver = await Driver.start({ echo });
  const codes = async () => [
    (await driver.act("echo", "big", 3_000)).code,
    (await driver.act("echo", "big", 2_900)).code,
  ];
  expect(await codes()).toEqual(["message.outgoing_too_long", undefined]);
  const socket = driver.socket("/actor/echo/connect").hello().subscribe(1, "big");
  await driver.world.idle();
  expect(await codes()).toEqual(["message.outgoing_too_long", undefined]);
  await driver.world.idle();
  expect(socket.story).toHaveLength(3);
});

test("bytes that only JSON makes too long are no error while nobody listens in JSON", async () => {
  const painter = actor({
    options: { maxOutgoingMessageSize: 3_000 },
    actions: { paint: (c) => c.broadcast("frame", new Uint8Array(2_500)) },
  });
  await using driver = await Driver.start({ painter });
  expect((await driver.act("painter", "paint")).status).toBe(200);
  driver.socket("/actor/painter/connect").hello().subscribe(1, "frame");
  await driver.world.idle();
  expect((await driver.act("painter", "paint")).code).toBe("message.outgoing_too_long");
});

for (const [what, count, size] of [
  ["frames", limits.openingFrames + 1, 1],
  ["bytes", 40, limits.openingBytes / 32],
] as const) {
  test(`too many ${what} while the connection opens: refused, and nothing of them was acted on`, async () => {
    opening = new Latch();
    await using driver = await Driver.start({ echo });
    const socket = driver.socket("/actor/echo/connect").hello();
    for (let id = 0; id < count; id += 1) socket.action(id, "say", "x".repeat(size));
    await driver.world.until(
      () => socket.closed !== undefined,
      () => socket.story.length,
    );
    expect(socket.story).toEqual(["refusal connection.opening_backlog"]);
    opening.open();
    await driver.world.idle();
    expect(socket.story).toHaveLength(1);
    opening = undefined;
  });
}

test("as many frames as fit while the connection opens are all taken", async () => {
  opening = new Latch();
  await using driver = await Driver.start({ echo });
  const socket = driver.socket("/actor/echo/connect").hello();
  for (let id = 0; id < limits.openingFrames; id += 1) socket.action(id, "say", "x");
  await driver.world.idle();
  opening.open();
  await driver.world.until(
    () => socket.frames.length === limits.openingFrames + 1,
    () => socket.story.length,
  );
  opening = undefined;
});

test("actions in flight: one more is refused as retryable, and as others end there is room again", async () => {
  work = new Latch();
  await using driver = await Driver.start({ echo });
  const socket = driver.socket("/actor/echo/connect").hello();
  await driver.world.idle();
  for (let id = 0; id <= limits.connectionActionsInFlight; id += 1) socket.action(id, "hang");
  await driver.world.idle();
  expect(socket.story.slice(1)).toEqual([
    `error ${limits.connectionActionsInFlight} connection.too_many_actions`,
  ]);
  work.open();
  await driver.world.idle();
  socket.action(9_999, "say", "a");
  await driver.world.idle();
  expect(socket.story.at(-1)).toBe("reply 9999 1");
});

test("subscriptions: one more is refused, a repeated one isn't", async () => {
  await using driver = await Driver.start({ echo });
  const socket = driver.socket("/actor/echo/connect").hello();
  await driver.world.idle();
  for (let id = 0; id <= limits.connectionSubscriptions; id += 1) socket.subscribe(id, `e${id}`);
  socket.subscribe(7_000, "e1").action(7_001, "say", "a");
  await driver.world.idle();
  expect(socket.story).toContain(`error ${limits.connectionSubscriptions} connection.too_many_subscriptions`);
  expect(socket.story.slice(-2)).toEqual(["subscribed 7000", "reply 7001 1"]);
});

test("unsubscribe is in force for what comes behind it", async () => {
  await using driver = await Driver.start({ echo });
  const socket = driver.socket("/actor/echo/connect").hello().subscribe(1, "x").action(2, "emit");
  socket.send({ kind: "unsubscribe", event: "x" }).action(3, "emit");
  await driver.world.idle();
  expect(socket.story).toEqual([
    "welcome",
    "subscribed 1",
    "event x [1]",
    "reply 2 undefined",
    "reply 3 undefined",
  ]);
});

test("a slow reader is closed with 1013, and the others get everything", async () => {
  await using driver = await Driver.start({ flood });
  const slow = driver.socket("/actor/flood/connect").hello().subscribe(1, "big");
  const fast = driver.socket("/actor/flood/connect").hello().subscribe(1, "big");
  await driver.world.idle();
  // Its end of the link reads no more.
  const size = limits.sendBufferBytes / 4;
  Object.defineProperty(slow.far, "bufferedBytes", { get: () => limits.sendBufferBytes + 1 });
  for (let n = 0; n < 3; n += 1) await driver.act("flood", "big", size);
  await driver.world.idle();
  expect(slow.closed).toEqual({ code: 1013, reason: "connection.slow_reader" });
  expect(fast.story.filter((entry) => entry.startsWith("event"))).toHaveLength(3);
  const { actorId = "" } = await driver.http("POST", "/actor/flood/resolve");
  expect(driver.runtime.host.instance(actorId)?.report().connections).toBe(1);
});

test("a client that only asks and reads nothing is a slow reader too", async () => {
  await using driver = await Driver.start({ echo });
  const socket = driver.socket("/actor/echo/connect").hello();
  await driver.world.idle();
  Object.defineProperty(socket.far, "bufferedBytes", { get: () => limits.sendBufferBytes + 1 });
  socket.send({ kind: "ping" });
  await driver.world.idle();
  expect(socket.closed).toEqual({ code: 1013, reason: "connection.slow_reader" });
});

test("no hello in time, silence for two heartbeats, and a ping that keeps alive", async () => {
  await using driver = await Driver.start({ echo });
  const mute = driver.socket("/actor/echo/connect");
  const silent = driver.socket("/actor/echo/connect").hello();
  const alive = driver.socket("/actor/echo/connect").hello();
  await driver.world.pass(limits.helloTimeoutMs - 1);
  expect(mute.closed).toBeUndefined();
  await driver.world.pass(1);
  expect(mute.story).toEqual(["refusal connection.hello_timeout"]);
  for (let beat = 0; beat < 4; beat += 1) {
    alive.send({ kind: "ping" });
    await driver.world.pass(limits.heartbeatMs);
  }
  expect(silent.closed).toEqual({ code: 1008, reason: "connection.silent" });
  expect(silent.story).toEqual(["welcome", "error - connection.silent"]);
  expect([alive.closed, alive.story.filter((entry) => entry === "pong").length]).toEqual([undefined, 4]);
});

test("a ping is answered whatever the actor is doing, and while the disk hangs", async () => {
  work = new Latch();
  await using driver = await Driver.start({ echo });
  const socket = driver.socket("/actor/echo/connect").hello();
  await driver.world.idle();
  driver.syncs.hold();
  socket.action(1, "hang").send({ kind: "ping" });
  await driver.world.idle();
  expect(socket.story).toEqual(["welcome", "pong"]);
});

test("malformed frames close their socket with 1002 and a code; the actor lives on", async () => {
  await using driver = await Driver.start({ echo });
  const bad: readonly (readonly [string | Uint8Array, string])[] = [
    ["not json", "protocol.malformed_frame"],
    ["[]", "protocol.malformed_frame"],
    ['{"kind":"nothing"}', "protocol.malformed_frame"],
    ['{"kind":"action","id":-1,"name":"say","args":[]}', "protocol.malformed_frame"],
    ['{"kind":"action","id":1,"name":"say"}', "protocol.malformed_frame"],
    ['{"kind":"hello","versions":[1],"encoding":"json"}', "protocol.malformed_frame"],
    [Uint8Array.of(0xa0), "protocol.malformed_frame"],
    ['{"kind":"action","id":1,"name":"say","args":[{"__proto__":1}]}', "value.forbidden_key"],
    [`{"kind":"action","id":1,"name":"say","args":${"[".repeat(300)}${"]".repeat(300)}}`, "value.too_deep"],
  ];
  for (const [data, code] of bad) {
    const socket = driver.socket("/actor/echo/connect").hello();
    await driver.world.idle();
    socket.raw(data).action(2, "say", "never");
    await driver.world.idle();
    expect([data, socket.story]).toEqual([data, ["welcome", `error - ${code}`]]);
    expect(socket.closed).toEqual({ code: 1002, reason: code });
  }
  const report = driver.runtime.host
    .instance((await driver.http("POST", "/actor/echo/resolve")).actorId ?? "")
    ?.report();
  expect(report?.connections).toBe(0);
});

test("a hello that isn't one, a version and an encoding that aren't spoken", async () => {
  await using driver = await Driver.start({ echo });
  const answers: unknown[] = [];
  for (const hello of [
    "{}",
    "hello",
    '{"kind":"ping"}',
    '{"kind":"hello","versions":[2,3],"encoding":"json"}',
    '{"kind":"hello","versions":[1],"encoding":"msgpack"}',
    Uint8Array.of(1, 2),
  ]) {
    const socket = driver.socket("/actor/echo/connect").raw(hello);
    await driver.world.idle();
    answers.push([
      socket.story.join(),
      socket.closed?.code,
      (socket.frames[0] as { versions?: unknown }).versions,
    ]);
  }
  expect(answers).toEqual([
    ["refusal protocol.malformed_frame", 1008, undefined],
    ["refusal protocol.malformed_frame", 1008, undefined],
    ["refusal protocol.malformed_frame", 1008, undefined],
    ["refusal protocol.version_unsupported", 1008, [1]],
    ["refusal protocol.encoding_unsupported", 1008, undefined],
    ["refusal protocol.malformed_frame", 1008, undefined],
  ]);
});

test("binary and JSON clients of one actor get the same event, each in its own encoding", async () => {
  await using driver = await Driver.start({ echo });
  const json = driver.socket("/actor/echo/connect").hello().subscribe(1, "x");
  const cbor = driver.socket("/actor/echo/connect").hello({ encoding: "cbor" }).subscribe(1, "x");
  await driver.world.idle();
  await driver.act("echo", "emit");
  await driver.world.idle();
  expect(json.story).toEqual(cbor.story);
  expect(json.story.at(-1)).toBe("event x [1]");
});
