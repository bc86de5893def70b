import { expect, test } from "vitest";
import { createClient } from "../src/create-client.ts";
import { Gateway } from "./support/gateway.ts";
import { stage } from "./support/room.ts";
import { settled, World, watch } from "./support/world.ts";

test("accessors, methods and nested methods are the same each time", () => {
  const { client } = stage();
  const handle = client.room.get("a");
  const conn = handle.connect();
  expect(client.room).toBe(client.room);
  expect(client.room.get).toBe(client.room.get);
  expect(handle.say).toBe(handle.say);
  expect(handle.admin.kick).toBe(handle.admin.kick);
  expect(handle.connect).toBe(handle.connect);
  expect(conn.say).toBe(conn.say);
  expect(conn.on).toBe(conn.on);
  expect(handle.say).not.toBe(client.room.get("a").say);
});

test("awaiting, printing and comparing a client, handle, connection or action calls nothing", async () => {
  const { gateway, client } = stage();
  const handle = client.room.get("a");
  const conn = handle.connect();
  for (const object of [client, client.room, handle, conn, handle.say]) {
    expect(await object).toBe(object);
    expect(Reflect.get(object, "then")).toBeUndefined();
    expect(Reflect.get(object, Symbol.toPrimitive)).toBeUndefined();
    JSON.stringify({ object });
    String(Object.prototype.toString.call(object));
    expect(object).toEqual(object);
  }
  await settled();
  expect(gateway.calls).toEqual([]);
});

test("nothing can be assigned to a handle", () => {
  const { client } = stage();
  expect(() => Object.assign(client.room.get("a"), { say: 1 })).toThrow(TypeError);
});

test("actions by method, nested, by name, and with call and apply", async () => {
  const { gateway, client } = stage();
  const handle = client.room.getOrCreate(["a", "b"], { createWithInput: { topic: "x" } });
  const { say } = handle;
  const answers = [
    watch(say("1")),
    watch(handle.admin.kick("bo")),
    watch(handle.action<string>({ name: "then", args: [2] })),
    watch(handle.say.call(undefined, "3")),
  ];
  await settled();
  expect(gateway.calls.map((call) => [call.name, call.args])).toEqual([
    ["say", ["1"]],
    ["admin.kick", ["bo"]],
    ["then", [2]],
    ["say", ["3"]],
  ]);
  expect(gateway.call.target).toEqual({
    kind: "key",
    name: "room",
    key: ["a", "b"],
    method: "getOrCreate",
    input: { topic: "x" },
  });
  for (const call of gateway.calls) call.resolve("ok");
  await settled();
  expect(answers.map((answer) => answer.value)).toEqual(["ok", "ok", "ok", "ok"]);
});

test("what its caller changes after a call isn't part of it, and not of its repetition", async () => {
  const { gateway, client } = stage();
  const handle = client.room.getOrCreate("a");
  const said = { text: "at the call", bytes: Uint8Array.of(1) };
  const args: unknown[] = [1, said];
  const named = watch(handle.action({ name: "say", args }));
  void handle.send("jobs", said);
  said.text = "after it";
  said.bytes[0] = 2;
  args[0] = 2;
  await settled();
  const asItWas = { text: "at the call", bytes: Uint8Array.of(1) };
  expect(gateway.calls.map((call) => call.args)).toEqual([[1, asItWas], [{ name: "jobs", body: asItWas }]]);
  gateway.calls[0]?.resolve("ok");
  await settled();
  expect(named.value).toBe("ok");
  const wrong = handle.action({ name: "say", args: [{ run: () => {} }] });
  await expect(wrong).rejects.toMatchObject({ group: "value" });
  expect(gateway.calls).toHaveLength(2);
});

test("create gives a handle by id; resolve asks for the id; a handle by id knows it", async () => {
  const { gateway, client } = stage();
  const created = watch(client.room.create("a", { input: { topic: "x" }, params: { token: "t" } }));
  await settled();
  expect(gateway.call).toMatchObject({
    kind: "resolve",
    target: { method: "create", key: ["a"], input: { topic: "x" } },
    options: { params: { token: "t" } },
  });
  gateway.call.resolve("id-1");
  await settled();
  void created.value?.say("hi");
  await settled();
  expect(gateway.call).toMatchObject({
    target: { kind: "id", name: "room", actorId: "id-1" },
    options: { params: { token: "t" } },
  });
  const resolved = watch(client.room.get().resolve());
  await settled();
  expect(gateway.call).toMatchObject({ kind: "resolve", target: { method: "get", key: [] } });
  gateway.call.resolve("id-2");
  await settled();
  expect(resolved.value).toBe("id-2");
  await expect(client.room.getForId("id-3").resolve()).resolves.toBe("id-3");
});

test("params: the handle's own, else its getParams, else the client's; those of connect before all", async () => {
  const { gateway, client } = stage({ getParams: () => ({ token: "client" }) });
  void client.room.get("a").act();
  void client.room.get("a", { getParams: () => ({ token: "lazy" }) }).act();
  void client.room.get("a", { params: { token: "own" }, getParams: () => ({ token: "lazy" }) }).act();
  await settled();
  expect(gateway.calls.map((call) => call.options.params)).toEqual([
    { token: "client" },
    { token: "lazy" },
    { token: "own" },
  ]);
  client.room.get("a", { params: { token: "own" } }).connect({ token: "connect" });
  expect((await gateway.open()).hello.params).toEqual({ token: "connect" });
});

test("bad names, keys, endpoints and options are refused where they are given", () => {
  const { client } = stage();
  const config = { env: new World(), transport: new Gateway() };
  expect(() => client.room.get(["x".repeat(129)])).toThrow(expect.objectContaining({ group: "key" }));
  expect(() => client.get("", "a")).toThrow(expect.objectContaining({ group: "name" }));
  for (const endpoint of ["no url", "ftp://a", "http://user:secret@a", "http://a?b"]) {
    expect(() => createClient(endpoint)).toThrow(expect.objectContaining({ code: "bad_endpoint" }));
  }
  const misspelt = { ...config, endPoint: "http://a" };
  expect(() => createClient(misspelt)).toThrow(expect.objectContaining({ code: "unknown_option" }));
});

test("a platform without fetch or WebSocket is named when it is missed", async () => {
  const client = createClient({ env: new World() });
  const handle = client.get("room");
  await expect(handle.resolve()).rejects.toMatchObject({ code: "unsupported_platform" });
  await expect(handle.connect().ready).rejects.toMatchObject({ code: "unsupported_platform" });
});
