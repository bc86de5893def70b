import { limits } from "@troupe/protocol";
import { expect, test } from "vitest";
import { stage } from "./support/room.ts";
import { watch } from "./support/world.ts";

test("S4.2: a subscription made before an action precedes it on the wire, in one tick, with nothing awaited", async () => {
  const { gateway, client } = stage();
  const conn = client.room.getOrCreate(["a"]).connect();
  conn.on("message", () => {});
  const answer = watch(conn.act());
  conn.on("moved", () => {});
  const link = await gateway.open();
  expect(link.told).toEqual(["on message", "on moved", "act act"]);
  await link.welcome();
  await link.say({ kind: "reply", id: link.idOf("act"), output: 7 });
  expect(answer).toMatchObject({ state: "resolved", value: 7 });
});

test("S4.2: on a reconnect every subscription is restored before any action that waited", async () => {
  const { world, gateway, client } = stage();
  const conn = client.room.get("a").connect();
  conn.on("message", () => {});
  const first = await gateway.accept();
  await first.drop();
  void conn.say("while away");
  conn.on("moved", () => {});
  await world.pass(250);
  const second = await gateway.open();
  expect(second.told).toEqual(["on message", "on moved", "act say"]);
});

test("S4.2: on a live connection frames leave in the order of the calls", async () => {
  const { gateway, client } = stage();
  const conn = client.room.get("a").connect();
  const link = await gateway.accept();
  void conn.say("1");
  const off = conn.on("message", () => {});
  void conn.say("2");
  off();
  void conn.admin.kick("bo");
  expect(link.told).toEqual(["act say", "on message", "act say", "off message", "act admin.kick"]);
});

test("everything is sent behind the hello, before the welcome", async () => {
  const { gateway, client } = stage();
  const conn = client.room
    .getOrCreate(["a"], { params: { token: "t" }, createWithInput: { topic: "x" } })
    .connect();
  void conn.say("hi");
  const link = await gateway.open();
  expect(link.hello).toEqual({
    kind: "hello",
    versions: [1],
    encoding: "json",
    params: { token: "t" },
    input: { topic: "x" },
  });
  expect(link.told).toEqual(["act say"]);
});

test("what a gateway doesn't hold for an opening connection waits for the welcome, in order", async () => {
  const { gateway, client } = stage({ encoding: "cbor" });
  const conn = client.room.get("a").connect();
  const count = limits.openingFrames + 2;
  for (let call = 0; call < count; call += 1) void conn.say(String(call));
  const link = await gateway.open();
  expect(link.frames).toHaveLength(limits.openingFrames);
  conn.on("message", () => {});
  expect(link.frames).toHaveLength(limits.openingFrames);
  await link.welcome();
  expect(link.frames).toHaveLength(count + 1);
  expect(link.told.slice(-3)).toEqual(["on message", "act say", "act say"]);
});

test("bytes are counted too: a large call waits for the welcome", async () => {
  const { gateway, client } = stage({ encoding: "cbor" });
  const conn = client.room.get("a").connect();
  void conn.say("x".repeat(limits.openingBytes));
  void conn.act();
  const link = await gateway.open();
  expect(link.told).toEqual([]);
  await link.welcome();
  expect(link.told).toEqual(["act say", "act act"]);
});

test("two listeners of an event share one subscription, which ends with the last", async () => {
  const { gateway, client } = stage();
  const conn = client.room.get("a").connect();
  const heard: string[] = [];
  const offs = ["first", "second"].map((who) =>
    conn.on("message", (text) => void heard.push(`${who} ${text}`)),
  );
  conn.once("message", (text) => void heard.push(`once ${text}`));
  const link = await gateway.accept();
  await link.say({ kind: "event", name: "message", args: ["a"] });
  await link.say({ kind: "event", name: "message", args: ["b"] });
  expect(heard).toEqual(["first a", "second a", "once a", "first b", "second b"]);
  offs[0]?.();
  offs[0]?.();
  expect(link.told).toEqual(["on message"]);
  offs[1]?.();
  expect(link.told).toEqual(["on message", "off message"]);
  await link.say({ kind: "event", name: "message", args: ["c"] });
  expect(heard).toHaveLength(5);
});

test("the arguments are those at the time of the call", async () => {
  const { gateway, client } = stage();
  const conn = client.room.get("a").connect();
  const args = ["before"];
  void conn.action({ name: "say", args });
  args[0] = "after";
  const link = await gateway.open();
  expect(link.frames).toEqual([{ kind: "action", id: 1, name: "say", args: ["before"] }]);
});
