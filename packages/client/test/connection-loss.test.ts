import { closeCodes, closeReasons, limits } from "@troupe/protocol";
import { expect, test } from "vitest";
import { clientErrors } from "../src/errors.ts";
import { stage } from "./support/room.ts";
import { settled, watch } from "./support/world.ts";

test("S3.6 (in part): a lost link makes sent calls unknown, for good; queued ones are sent on the next link", async () => {
  const { world, gateway, client } = stage();
  const conn = client.room.get("a").connect();
  const first = await gateway.accept();
  const sent = watch(conn.say("sent"));
  await first.drop();
  const queued = watch(conn.act());
  expect(sent).toMatchObject({ state: "rejected", code: "client.outcome_unknown" });
  expect(sent.error).toMatchObject({ retryable: false });
  await world.pass(250);
  const second = await gateway.accept();
  expect(second.told).toEqual(["act act"]);
  await second.say({ kind: "reply", id: second.idOf("act"), output: 1 });
  expect(queued).toMatchObject({ state: "resolved", value: 1 });
});

test("S3.6 (in part): a link lost between hello and welcome may have carried the calls behind the hello", async () => {
  const { world, gateway, client } = stage();
  const conn = client.room.get("a").connect();
  const sent = watch(conn.act());
  const first = await gateway.open();
  expect(first.told).toEqual(["act act"]);
  await first.drop();
  expect(sent.code).toBe("client.outcome_unknown");
  await world.pass(250);
  expect((await gateway.open()).told).toEqual([]);
});

test("S3.6 (in part): a dial that fails has sent nothing: every call waits for the next one", async () => {
  const { world, gateway, client } = stage();
  const conn = client.room.get("a").connect();
  const call = watch(conn.act());
  await gateway.refuseDial(clientErrors.notSent("there"));
  expect(conn.connStatus).toBe("disconnected");
  expect(call.state).toBe("pending");
  await world.pass(250);
  expect((await gateway.open()).told).toEqual(["act act"]);
});

test("S3.6 (in part): behind a refused hello nothing was acted on: a refusal for good fails all calls with its error", async () => {
  const { world, gateway, client } = stage();
  const conn = client.room.get("a").connect();
  const errors: string[] = [];
  conn.onError((error) => void errors.push(`${error.group}.${error.code}`));
  const ready = watch(conn.ready);
  const sent = watch(conn.act());
  const link = await gateway.open();
  await link.refuse({ group: "auth", code: "forbidden" });
  expect(sent.code).toBe("auth.forbidden");
  expect(ready.code).toBe("auth.forbidden");
  expect(errors).toEqual(["auth.forbidden"]);
  expect(conn.connStatus).toBe("disconnected");
  expect(watch(conn.act())).toMatchObject({ state: "pending" });
  await expect(conn.act()).rejects.toMatchObject({ code: "forbidden" });
  await world.pass(3_600_000);
  expect(gateway.dials).toHaveLength(1);
  expect(world.pendingTimers).toBe(0);
});

test("S3.6 (in part): behind a hello refused for now all calls go first on the next link, in order", async () => {
  const { world, gateway, client } = stage();
  const conn = client.room.get("a").connect();
  const abort = new AbortController();
  const sent = watch(conn.act());
  const given = watch(conn.action({ name: "say", args: ["given up"], signal: abort.signal }));
  const link = await gateway.open();
  abort.abort();
  await settled();
  expect(given.error).toMatchObject({ code: "aborted", metadata: { outcome: "unknown" } });
  await link.refuse({ code: "overloaded", retryable: true });
  watch(conn.say("later"));
  expect(sent.state).toBe("pending");
  // It is tried again: nothing is logged for who doesn't listen.
  expect(world.warnings).toEqual([]);
  await world.pass(250);
  const second = await gateway.open();
  expect(second.frames).toMatchObject([
    { kind: "action", name: "act", args: [] },
    { kind: "action", name: "say", args: ["later"] },
  ]);
});

test("S3.6 (in part): what goes back into the queue stays ahead of what never left it", async () => {
  const { world, gateway, client } = stage();
  const conn = client.room.get("a").connect();
  const count = limits.openingFrames + 2;
  for (let call = 0; call < count; call += 1) void conn.say(String(call));
  const first = await gateway.open();
  expect(first.frames).toHaveLength(limits.openingFrames);
  await first.refuse({ code: "overloaded", retryable: true });
  await world.pass(250);
  const second = await gateway.accept();
  const texts = second.frames.map((frame) => frame.kind === "action" && frame.args[0]);
  expect(texts).toEqual(Array.from({ length: count }, (_, call) => String(call)));
});

test("a subscriber is told of the gap on a reconnect, before any event, and of nothing the first time", async () => {
  const { world, gateway, client } = stage();
  const conn = client.room.get("a").connect();
  const story: string[] = [];
  conn.on("message", (text) => void story.push(text));
  conn.onGap((gap) => void story.push(`gap ${gap.events.join()}`));
  conn.onOpen(() => void story.push("open"));
  conn.onClose(() => void story.push("close"));
  const first = await gateway.accept();
  await first.say({ kind: "event", name: "message", args: ["one"] });
  await first.drop();
  // Subscribed while away: nothing of it was missed.
  conn.on("moved", () => {});
  await world.pass(250);
  const second = await gateway.accept();
  await second.say({ kind: "event", name: "message", args: ["two"] });
  expect(story).toEqual(["open", "one", "close", "gap message", "open", "two"]);
});

test("the error that a gateway names before it closes is the cause of the unknown outcomes", async () => {
  const { gateway, client } = stage();
  const conn = client.room.get("a").connect();
  const errors: string[] = [];
  conn.onError((error) => void errors.push(error.code));
  const link = await gateway.accept();
  const sent = watch(conn.act());
  const error = { group: "storage", code: "commit_failed", message: "No disk", retryable: false };
  await link.say({ kind: "error", error });
  await link.drop(1011, "storage.commit_failed");
  expect(sent).toMatchObject({ code: "client.outcome_unknown", error: { cause: { code: "commit_failed" } } });
  expect(errors).toEqual(["commit_failed"]);
  expect(conn.connStatus).toBe("disconnected");
});

test("an action's error and a refused subscription leave the connection as it is", async () => {
  const { gateway, client } = stage();
  const conn = client.room.get("a").connect();
  const errors: string[] = [];
  conn.onError((error) => void errors.push(error.code));
  conn.on("message", () => {});
  const link = await gateway.accept();
  const call = watch(conn.act());
  const error = { group: "user", code: "taken", message: "Taken", retryable: false };
  await link.say({ kind: "error", id: link.idOf("act"), error });
  await link.say({ kind: "error", id: link.idOf("message"), error: { ...error, code: "hidden" } });
  expect(call.code).toBe("user.taken");
  expect(errors).toEqual(["hidden"]);
  expect(conn.isConnected).toBe(true);
});

test("a message that isn't one costs the link, not the connection", async () => {
  const { world, gateway, client } = stage();
  const conn = client.room.get("a").connect();
  const errors: string[] = [];
  conn.onError((error) => void errors.push(`${error.group}.${error.code}`));
  const link = await gateway.accept();
  const sent = watch(conn.act());
  await link.sayRaw("{");
  expect(link.closedWith).toBe(1002);
  expect(errors).toHaveLength(1);
  expect(sent.code).toBe("client.outcome_unknown");
  await world.pass(250);
  await gateway.accept();
  expect(conn.isConnected).toBe(true);
});

test("limits: calls beyond what may wait fail with client.queue_full, too long ones with their own code", async () => {
  const { gateway, client } = stage({ encoding: "cbor" });
  const conn = client.room.get("a").connect();
  await expect(conn.say("x".repeat(limits.incomingMessageBytes))).rejects.toMatchObject({
    group: "message",
    code: "outgoing_too_long",
    metadata: { limit: limits.incomingMessageBytes },
  });
  for (let call = 0; call < limits.connectionActionsInFlight; call += 1) void conn.act();
  await expect(conn.act()).rejects.toMatchObject({ group: "client", code: "queue_full", retryable: true });
  const link = await gateway.accept();
  await link.say({ kind: "reply", id: link.idOf("act") });
  expect(watch(conn.act()).state).toBe("pending");
  expect(link.frames).toHaveLength(limits.connectionActionsInFlight + 1);
});

test("limits: the bytes that wait are bounded, but one message always fits", async () => {
  const { client } = stage({ encoding: "cbor" });
  const conn = client.room.get("a").connect();
  const large = watch(conn.say("x".repeat(limits.sendBufferBytes + 1)));
  await expect(conn.act()).rejects.toMatchObject({
    code: "queue_full",
    metadata: { limit: limits.sendBufferBytes },
  });
  expect(large.state).toBe("pending");
});

test("a value that can't be sent fails its call alone", async () => {
  const { gateway, client } = stage();
  const conn = client.room.get("a").connect();
  const link = await gateway.accept();
  await expect(conn.action({ name: "say", args: [() => {}] })).rejects.toMatchObject({ group: "value" });
  void conn.act();
  expect(link.told).toEqual(["act act"]);
});

test("calls that reach an actor that is stopping go again on the next link, in their order", async () => {
  const { world, gateway, client } = stage();
  const conn = client.room.get("a").connect();
  const first = await gateway.accept();
  const one = watch(conn.act());
  const two = watch(conn.say("two"));
  const stopping = { group: "actor", code: "stopping", message: "stopping", retryable: true };
  await first.say({ kind: "error", id: first.idOf("act"), error: stopping });
  const three = watch(conn.act());
  await first.say({ kind: "error", id: first.idOf("say"), error: stopping });
  expect(first.told).toEqual(["act act", "act say"]);
  expect([one.state, two.state, three.state]).toEqual(["pending", "pending", "pending"]);
  await first.drop();
  await world.pass(250);
  const second = await gateway.accept();
  expect(second.told).toEqual(["act act", "act say", "act act"]);
});

test("an action that itself failed with actor.stopping is answered by that error: it ran, and isn't sent again", async () => {
  const { world, gateway, client } = stage();
  const conn = client.room.get("a").connect();
  const first = await gateway.accept();
  const call = watch(conn.act());
  const stopping = { group: "actor", code: "stopping", message: "a third actor stops", retryable: false };
  await first.say({ kind: "error", id: first.idOf("act"), error: stopping });
  expect(call).toMatchObject({ state: "rejected", code: "actor.stopping", error: { retryable: false } });
  // The link is as good as before.
  watch(conn.say("later"));
  expect(first.told).toEqual(["act act", "act say"]);
  await first.drop();
  await world.pass(250);
  expect((await gateway.accept()).told).toEqual([]);
});

test("an actor that stops in order has answered all that it was asked: the rest goes again, in the order of the calls", async () => {
  const { world, gateway, client } = stage();
  const conn = client.room.get("a").connect();
  const first = await gateway.accept();
  const refused = watch(conn.act());
  const unread = watch(conn.say("never read"));
  const stopping = { group: "actor", code: "stopping", message: "stopping", retryable: true };
  await first.say({ kind: "error", id: first.idOf("act"), error: stopping });
  await first.drop(closeCodes.restart, closeReasons.restarting);
  expect([refused.state, unread.state]).toEqual(["pending", "pending"]);
  await world.pass(250);
  expect((await gateway.accept()).told).toEqual(["act act", "act say"]);
});

test("an actor that leaves something behind has answered nothing for sure: what was sent is unknown", async () => {
  const { gateway, client } = stage();
  const conn = client.room.get("a").connect();
  const first = await gateway.accept();
  const sent = watch(conn.act());
  await first.drop(closeCodes.restart, closeReasons.leftBehind);
  expect(sent.code).toBe("client.outcome_unknown");
});

test("a gateway that doesn't know of retained events is asked to resume in vain: that is a gap, told once", async () => {
  const { world, gateway, client } = stage();
  const conn = client.room.get("a").connect();
  const story: unknown[] = [];
  conn.on("message", (...args: unknown[]) => story.push(...args));
  conn.onGap(({ events }) => story.push(events));
  const first = await gateway.accept();
  await first.say({ kind: "subscribed", id: 1, sequence: 4 });
  await first.say({ kind: "event", name: "message", args: ["five"], sequence: 5 });
  await first.say({ kind: "event", name: "message", args: ["five again"], sequence: 5 });
  await first.drop();
  await world.pass(250);
  const older = await gateway.accept();
  expect(older.frames).toMatchObject([{ kind: "subscribe", event: "message", resume: { after: 5 } }]);
  await older.say({ kind: "subscribed", id: 2 });
  await older.say({ kind: "event", name: "message", args: ["later"] });
  expect(story).toEqual(["five", ["message"], "later"]);
});

test("an actor that breaks before a subscription is in force: the next link resumes where the last event was heard", async () => {
  const { world, gateway, client } = stage();
  const conn = client.room.get("a").connect();
  conn.on("message", () => {});
  conn.onError(() => {});
  const first = await gateway.accept();
  await first.say({ kind: "subscribed", id: 1, sequence: 0 });
  await first.say({ kind: "event", name: "message", args: ["one"], sequence: 1 });
  await first.drop();
  await world.pass(250);
  const second = await gateway.accept();
  const error = { group: "storage", code: "commit_failed", message: "broken", retryable: false };
  await second.say({ kind: "error", id: 2, error });
  await second.drop();
  await world.pass(1_000);
  expect((await gateway.open()).frames).toMatchObject([{ kind: "subscribe", resume: { after: 1 } }]);
});
