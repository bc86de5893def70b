import { expect, test } from "vitest";
import { clientErrors } from "../src/errors.ts";
import { GatewayLink, HEARTBEAT_MS } from "./support/gateway.ts";
import { stage } from "./support/room.ts";
import { settled, watch } from "./support/world.ts";

test("the status tells the life of a connection, and ready its first welcome", async () => {
  const { world, gateway, client } = stage();
  const conn = client.room.get("a").connect();
  const statuses = [conn.connStatus];
  conn.onStatusChange((status) => void statuses.push(status));
  const ready = watch(conn.ready);
  const first = await gateway.open();
  expect(ready.state).toBe("pending");
  await first.welcome();
  expect(ready.state).toBe("resolved");
  expect(conn.isConnected).toBe(true);
  await first.drop();
  await world.pass(250);
  await gateway.accept();
  void conn.dispose();
  expect(statuses).toEqual(["connecting", "connected", "disconnected", "connecting", "connected", "idle"]);
});

test("a heartbeat each way: a ping each period; two silent periods mean that the link is dead", async () => {
  const { world, gateway, client } = stage();
  const conn = client.room.get("a").connect();
  const link = await gateway.accept();
  const call = watch(conn.act());
  await world.pass(HEARTBEAT_MS);
  expect(link.told).toEqual(["act act", "ping"]);
  await link.say({ kind: "pong" });
  await world.pass(HEARTBEAT_MS);
  expect(conn.isConnected).toBe(true);
  await world.pass(HEARTBEAT_MS * 2 - 1);
  expect(conn.isConnected).toBe(true);
  await world.pass(1);
  expect(conn.connStatus).toBe("disconnected");
  expect(link.closedWith).toBe(1000);
  expect(call.code).toBe("client.outcome_unknown");
  await world.pass(250);
  await gateway.accept();
  expect(conn.isConnected).toBe(true);
});

test("the waits between attempts double up to their limit, with full jitter", async () => {
  const { world, gateway, client } = stage({ reconnect: { baseMs: 100, maxMs: 1_000 } });
  client.room.get("a").connect();
  const check = async (chance: number, waitMs: number): Promise<void> => {
    world.chance = chance;
    await settled();
    const dials = gateway.dials.length;
    await gateway.refuseDial(clientErrors.notSent("there"));
    await world.pass(waitMs - 1);
    expect(gateway.dials).toHaveLength(dials);
    await world.pass(1);
    expect(gateway.dials).toHaveLength(dials + 1);
  };
  await check(0.5, 50);
  await check(0.5, 100);
  await check(0.25, 100);
  await check(0.5, 400);
  await check(1, 1_000);
  await check(1, 1_000);
});

test("only a link that held resets the waits: an actor that throws its clients out isn't hammered", async () => {
  const { world, gateway, client } = stage({ reconnect: { baseMs: 100, maxMs: 1_000 } });
  client.room.get("a").connect();
  world.chance = 1;
  await (await gateway.accept()).drop();
  await world.pass(100);
  await (await gateway.accept()).drop();
  await world.pass(100);
  expect(gateway.dials).toHaveLength(2);
  await world.pass(100);
  const link = await gateway.accept();
  await world.pass(1_000);
  await link.drop();
  await world.pass(100);
  expect(gateway.dials).toHaveLength(4);
});

test("each loss of a link that held is the first one, and who had one waits less long", async () => {
  const { world, gateway, client } = stage({ reconnect: { baseMs: 100, maxMs: 3_000 } });
  client.room.get("a").connect();
  world.chance = 1;
  for (let loss = 1; loss <= 5; loss += 1) {
    const link = await gateway.accept();
    await world.pass(1_000);
    await link.drop();
    await world.pass(100);
    expect(gateway.dials).toHaveLength(loss + 1);
  }
  for (let attempt = 0; attempt < 8; attempt += 1) {
    await gateway.refuseDial(clientErrors.notSent("there"));
    await world.pass(1_000);
  }
  expect(gateway.dials).toHaveLength(14);
  // Thrown out at once: it waits as one that never had a link.
  await (await gateway.accept()).drop();
  await world.pass(1_000);
  expect(gateway.dials).toHaveLength(14);
  await world.pass(2_000);
  expect(gateway.dials).toHaveLength(15);
});

test("a wait ends at once on reconnect(), and when the platform says that the network is back", async () => {
  const { world, gateway, client } = stage({ reconnect: { baseMs: 10_000 } });
  const conn = client.room.get("a").connect();
  await gateway.refuseDial(clientErrors.notSent("there"));
  expect(gateway.dials).toHaveLength(1);
  conn.reconnect();
  conn.reconnect();
  await gateway.refuseDial(clientErrors.notSent("there"));
  expect([gateway.dials.length, world.wakes.size, world.pendingTimers]).toEqual([2, 1, 1]);
  for (const wake of world.wakes) wake();
  await gateway.accept();
  conn.reconnect();
  await settled();
  expect([gateway.dials.length, world.wakes.size]).toEqual([3, 0]);
});

test("getParams is asked again for each attempt; when it fails the attempt does", async () => {
  const { world, gateway, client } = stage();
  const errors: string[] = [];
  const tokens = ["one", undefined, "two"];
  const getParams = async (): Promise<{ token: string }> => {
    const token = tokens.shift();
    if (token === undefined) throw new Error("no token today");
    return { token };
  };
  const conn = client.room.get("a", { getParams }).connect();
  conn.onError((error) => void errors.push(error.code));
  const first = await gateway.accept();
  expect(first.hello.params).toEqual({ token: "one" });
  await first.drop();
  await world.pass(250);
  expect(errors).toEqual(["params_failed"]);
  await world.pass(500);
  const second = await gateway.accept();
  expect(second.hello.params).toEqual({ token: "two" });
});

test("parameters that can't be encoded end the connection with the reason", async () => {
  const { world, gateway, client } = stage();
  const conn = client.get("room", "a").connect({ callback: () => {} });
  const ready = watch(conn.ready);
  await gateway.open();
  expect(ready.error).toMatchObject({ group: "value" });
  await world.pass(60_000);
  expect(gateway.dials).toHaveLength(1);
});

test("an attempt that hangs is given up: the dial, getParams, or the answer to the hello", async () => {
  const { world, gateway, client } = stage();
  const conn = client.room.get("a").connect();
  await world.pass(15_000);
  expect(gateway.dial.signal?.aborted).toBe(true);
  await world.pass(250);
  const late = gateway.dials[0];
  const abandoned = new GatewayLink("json");
  late?.resolve(abandoned);
  await settled();
  expect(abandoned.closedWith).toBe(1000);
  const link = await gateway.open();
  await world.pass(60_000);
  expect(link.closedWith).toBe(1000);
  expect(conn.connStatus).toBe("disconnected");
});

test("dispose: what wasn't sent says so, what was is unknown, and it settles when the link is closed", async () => {
  const { world, gateway, client } = stage();
  const conn = client.room.get("a").connect();
  const link = await gateway.accept();
  const sent = watch(conn.act());
  const disposed = watch(conn.dispose());
  await settled();
  expect(sent.code).toBe("client.outcome_unknown");
  expect(link.closedWith).toBe(1000);
  expect(disposed.state).toBe("pending");
  await link.drop(1000);
  expect(disposed.state).toBe("resolved");
  await expect(conn.act()).rejects.toMatchObject({ group: "client", code: "disposed" });
  await conn.dispose();
  await world.pass(3_600_000);
  expect(gateway.dials).toHaveLength(1);
  expect(world.pendingTimers).toBe(0);
});

test("dispose while waiting: queued calls and ready reject with client.disposed", async () => {
  const { world, gateway, client } = stage();
  const conn = client.room.get("a").connect();
  const ready = watch(conn.ready);
  const queued = watch(conn.act());
  await gateway.refuseDial(clientErrors.notSent("there"));
  await conn.dispose();
  expect(queued.code).toBe("client.disposed");
  expect(ready.code).toBe("client.disposed");
  await world.pass(60_000);
  expect(gateway.dials).toHaveLength(1);
});

test("an end that doesn't answer the close doesn't hold up dispose", async () => {
  const { world, gateway, client } = stage();
  const conn = client.room.get("a").connect();
  await gateway.accept();
  const disposed = watch(conn[Symbol.asyncDispose]());
  await world.pass(1_000);
  expect(disposed.state).toBe("resolved");
});

test("the client's dispose and the handle's signal end connections", async () => {
  const { gateway, client } = stage();
  const abort = new AbortController();
  const one = client.room.get("a", { signal: abort.signal }).connect();
  const two = client.room.get("b").connect();
  await gateway.accept();
  abort.abort();
  expect(one.connStatus).toBe("idle");
  expect(two.connStatus).toBe("connected");
  void client.dispose();
  expect(two.connStatus).toBe("idle");
  expect(() => client.room.get("a").connect()).toThrow(expect.objectContaining({ code: "disposed" }));
});

test("a listener that throws stops nothing; its error is told, or logged where nobody listens", async () => {
  const { world, gateway, client } = stage();
  const conn = client.room.get("a").connect();
  const heard: string[] = [];
  conn.on("message", () => {
    throw new Error("bug");
  });
  conn.on("message", (text) => void heard.push(text));
  const link = await gateway.accept();
  await link.say({ kind: "event", name: "message", args: ["a"] });
  expect(heard).toEqual(["a"]);
  expect(world.warnings).toMatchObject([{ fields: { code: "client.listener_failed" } }]);
  const errors: unknown[] = [];
  conn.onError((error) => void errors.push(error.cause));
  await link.say({ kind: "event", name: "message", args: ["b"] });
  expect(errors).toMatchObject([{ message: "bug" }]);
  expect(world.warnings).toHaveLength(1);
});

test("S3.6 (in part): an aborted call says whether it was sent; its late answer disturbs nobody", async () => {
  const { gateway, client } = stage();
  const conn = client.room.get("a").connect();
  const abort = new AbortController();
  const queued = watch(conn.action({ name: "act", signal: abort.signal }));
  abort.abort("enough");
  await settled();
  expect(queued.error).toMatchObject({ code: "aborted", metadata: { outcome: "not_sent" }, cause: "enough" });
  const link = await gateway.accept();
  expect(link.told).toEqual([]);
  const again = new AbortController();
  const sent = watch(conn.action({ name: "act", signal: again.signal }));
  again.abort();
  await settled();
  expect(sent.error).toMatchObject({ code: "aborted", metadata: { outcome: "unknown" } });
  await link.say({ kind: "reply", id: link.idOf("act"), output: 1 });
  expect(conn.isConnected).toBe(true);
});
