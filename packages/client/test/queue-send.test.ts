/** Messages for queues: one that nobody waits for is sent once; one with a ticket again, until its reply is there. */
import { closeReasons } from "@troupe/protocol";
import { expect, test } from "vitest";
import { createClient } from "../src/create-client.ts";
import { clientErrors } from "../src/errors.ts";
import type { QueueSend } from "../src/transport.ts";
import { type RoomRegistry, stage } from "./support/room.ts";
import { settled, World, watch } from "./support/world.ts";

const DONE = JSON.stringify({ status: "completed", response: 7 });

test("without wait a message is sent once, and its lost answer is told", async () => {
  const { gateway, client } = stage();
  const sent = watch(client.room.get("a").send("jobs", { n: 1 }));
  await settled();
  expect(gateway.call.args).toEqual([{ name: "jobs", body: { n: 1 } }]);
  gateway.call.reject(clientErrors.outcomeUnknown("it"));
  await settled();
  expect(sent.code).toBe("client.outcome_unknown");
  expect(gateway.calls).toHaveLength(1);
});

test("where an answer may be lost, a message goes again under its ticket though nobody waits", async () => {
  const { world, gateway, client } = stage();
  Object.assign(gateway, { losesAnswers: true });
  const handle = client.room.get("a");
  const sent = watch(handle.send("jobs", 1));
  await settled();
  const first = gateway.call.args[0] as QueueSend;
  gateway.call.reject(clientErrors.outcomeUnknown("it"));
  await world.pass(1_000);
  expect(gateway.call.args).toEqual([first]);
  expect(first.ticket).toBeDefined();
  gateway.call.resolve(DONE);
  await settled();
  expect(sent.state).toBe("resolved");
  const conn = handle.connect();
  const link = await gateway.accept();
  const over = watch(conn.send("jobs", 2));
  await settled();
  await link.drop();
  await world.pass(1_000);
  const next = await gateway.accept();
  expect(next.frames).toEqual(link.frames);
  await next.say({ kind: "reply", id: next.idOf("jobs"), output: { status: "completed" } });
  expect(over.state).toBe("resolved");
});

test("with wait it goes again under its ticket, with what is left of its time", async () => {
  const { world, gateway, client } = stage();
  const handle = client.room.get("a");
  const sent = watch(handle.send("jobs", 1, { wait: true, timeout: 60_000 }));
  await settled();
  const first = gateway.call.args[0] as QueueSend;
  expect(first).toMatchObject({ name: "jobs", body: 1, wait: true, timeoutMs: 60_000 });
  // Longer than any call is repeated: it was waiting, and goes on.
  await world.pass(40_000);
  gateway.call.reject(clientErrors.outcomeUnknown("it"));
  await world.pass(1_000);
  expect(gateway.calls).toHaveLength(2);
  const second = gateway.call.args[0] as QueueSend;
  expect(second.ticket).toBe(first.ticket);
  expect(second.timeoutMs).toBeLessThanOrEqual(20_000);
  gateway.call.resolve(DONE);
  await settled();
  expect(sent.value).toEqual({ status: "completed", response: 7 });
  void handle.send("jobs", 2, { wait: true });
  await settled();
  expect((gateway.call.args[0] as QueueSend).ticket).not.toBe(first.ticket);
});

test("what can't be reached for as long as any call is repeated is given up", async () => {
  const { world, gateway, client } = stage({ retry: { deadlineMs: 1_000 } });
  const sent = watch(client.room.get("a").send("jobs", 1, { wait: true }));
  for (let attempt = 0; attempt < 50 && sent.state === "pending"; attempt += 1) {
    await settled();
    gateway.call.reject(clientErrors.notSent("there"));
    await world.pass(100);
  }
  expect(sent.code).toBe("client.not_sent");
});

test("an error that isn't a passing one is the answer, and a signal ends the wait", async () => {
  const { gateway, client } = stage();
  const abort = new AbortController();
  const refused = watch(client.room.get("a").send("jobs", 1, { wait: true }));
  await settled();
  gateway.call.reject(clientErrors.disposed());
  const given = watch(client.room.get("a").send("jobs", 1, { wait: true, signal: abort.signal }));
  await settled();
  abort.abort();
  await settled();
  expect([refused.code, given.code]).toEqual(["client.disposed", "client.aborted"]);
});

test("over a connection the one with a ticket is sent on the next link, the other one's outcome is unknown", async () => {
  const { world, gateway, client } = stage();
  const conn = client.room.get("a").connect();
  const first = await gateway.accept();
  const plain = watch(conn.send("jobs", 1));
  const waiting = watch(conn.send("jobs", 2, { wait: true }));
  await settled();
  expect(first.told).toEqual(["send jobs", "send jobs"]);
  await first.drop();
  expect(plain.code).toBe("client.outcome_unknown");
  await world.pass(1_000);
  const second = await gateway.accept();
  expect(second.frames).toEqual([first.frames[1]]);
  // The actor stops: it goes once more.
  await second.drop(1012, closeReasons.restarting);
  await world.pass(1_000);
  const third = await gateway.accept();
  expect(third.frames).toEqual([first.frames[1]]);
  await third.say({ kind: "reply", id: third.idOf("jobs"), output: { status: "timedOut" } });
  expect(waiting.value).toEqual({ status: "timedOut" });
  const last = watch(conn.send("jobs", 3, { wait: true }));
  void conn.dispose();
  await settled();
  expect(last.code).toBe("client.outcome_unknown");
});

test("who waits for a reply takes no other call's turn at the network", async () => {
  const never = (): Promise<never> => new Promise(() => {});
  const action = (): Promise<unknown> => Promise.resolve("done");
  const transport = { attemptsAtOnce: 1, send: never, action, resolve: never, connect: never };
  const client = createClient<RoomRegistry>({ env: new World(), transport });
  void watch(client.room.get("a").send("jobs", 1, { wait: true }));
  await settled();
  expect(await client.room.get("a").say("hi")).toBe("done");
  await client.dispose();
});
