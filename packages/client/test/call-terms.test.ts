/** Times, cancels and keys of calls, as a gateway sees them. */
import { TroupeError } from "@troupe/base";
import { closeCodes } from "@troupe/protocol";
import { expect, test } from "vitest";
import { clientErrors } from "../src/errors.ts";
import { stage } from "./support/room.ts";
import { settled, watch } from "./support/world.ts";

for (const encoding of ["json", "cbor"] as const) {
  test(`${encoding}: what is left of a call's time is sent, not what there was`, async () => {
    const { world, gateway, client } = stage({ encoding });
    const conn = client.room.get("a").connect();
    const args = [{ text: "as it was" }];
    const call = watch(conn.action({ name: "send", args, timeoutMs: 1_000 }));
    (args[0] as { text: string }).text = "changed";
    await world.pass(400);
    const first = await gateway.accept();
    expect(first.frames).toEqual([
      { kind: "action", id: expect.any(Number), name: "send", args: [{ text: "as it was" }], timeoutMs: 600 },
    ]);
    await world.pass(599);
    expect(call.state).toBe("pending");
    await world.pass(1);
    expect(call).toMatchObject({
      code: "client.deadline_exceeded",
      error: { metadata: { outcome: "unknown", timeoutMs: 1_000 } },
    });
    expect(first.frames.at(-1)).toEqual({ kind: "cancel", id: first.idOf("send") });
    expect(world.pendingTimers).toBe(1);
  });
}

test("a call whose time is over while it waits was never sent", async () => {
  const { world, gateway, client } = stage();
  const conn = client.room.get("a").connect();
  const call = watch(conn.action({ name: "act", timeoutMs: 100 }));
  await world.pass(100);
  expect(call).toMatchObject({
    code: "client.deadline_exceeded",
    error: { metadata: { outcome: "not_sent" } },
  });
  expect((await gateway.accept()).told).toEqual([]);
});

test("a cancel goes behind its call; none goes for a call that was answered, or never sent", async () => {
  const { gateway, client } = stage();
  const conn = client.room.get("a").connect();
  const [queued, sent, done] = [new AbortController(), new AbortController(), new AbortController()];
  const never = watch(conn.action({ name: "never", signal: queued.signal }));
  queued.abort();
  const link = await gateway.accept();
  const calls = [
    watch(conn.action({ name: "sent", signal: sent.signal })),
    watch(conn.action({ name: "done", signal: done.signal })),
  ];
  await settled();
  await link.say({ kind: "reply", id: link.idOf("done"), output: 1 });
  sent.abort();
  done.abort();
  await settled();
  expect([never.code, ...calls.map(({ state }) => state)]).toEqual([
    "client.aborted",
    "rejected",
    "resolved",
  ]);
  expect(link.told).toEqual(["act sent", "act done", `cancel ${link.idOf("sent")}`]);
});

test("a call with a key goes again on the next link, in its place, until it is answered", async () => {
  const { world, gateway, client } = stage();
  const conn = client.room.get("a").connect();
  const first = await gateway.accept();
  const keyed = watch(conn.action({ name: "pay", idempotencyKey: "k1" }));
  const plain = watch(conn.act());
  await first.drop();
  const later = watch(conn.action({ name: "later" }));
  expect([keyed.state, plain.code]).toEqual(["pending", "client.outcome_unknown"]);
  await world.pass(250);
  const second = await gateway.accept();
  expect(second.told).toEqual(["act pay", "act later"]);
  expect(second.frames[0]).toMatchObject({ idempotencyKey: "k1" });
  await second.drop(closeCodes.internal);
  expect([keyed.state, later.code]).toEqual(["pending", "client.outcome_unknown"]);
  await world.pass(1_000);
  const third = await gateway.accept();
  await third.say({ kind: "reply", id: third.idOf("pay"), output: 1 });
  expect(keyed.value).toBe(1);
});

test("one that was sent and waits to be sent again is unknown when its connection ends", async () => {
  const { gateway, client } = stage();
  const conn = client.room.get("a").connect();
  const first = await gateway.accept();
  const keyed = watch(conn.action({ name: "pay", idempotencyKey: "k1" }));
  await settled();
  await first.drop();
  const fresh = watch(conn.act());
  await conn.dispose();
  await settled();
  expect([keyed.code, fresh.code]).toEqual(["client.outcome_unknown", "client.disposed"]);
});

test("a stateless call: what is left goes with each attempt, and the key with all", async () => {
  const { world, gateway, client } = stage();
  const call = watch(client.room.get("a").action({ name: "pay", timeoutMs: 20_000, idempotencyKey: "k1" }));
  await settled();
  const attempts: (number | undefined)[] = [];
  while (call.state === "pending") {
    const { options, reject } = gateway.call;
    attempts.push(options.timeoutMs);
    expect(options.idempotencyKey).toBe("k1");
    await world.pass(1_000);
    reject(clientErrors.outcomeUnknown("it"));
    await settled();
    await world.pass(2_000);
  }
  expect(attempts[0]).toBe(20_000);
  expect(attempts).toEqual([...attempts].sort((a = 0, b = 0) => b - a));
  // Past the 15 s that a call without a time of its own is repeated for.
  expect(attempts.at(-1)).toBeLessThan(5_000);
  expect(call.code).toBe("client.deadline_exceeded");
  expect(world.pendingTimers).toBe(0);
});

/** What a caller is told whose actor's host is gone. */
const hostLost = { group: "host", code: "lost", message: "Gone", retryable: false };
const unknown = { applied: "unknown" };

test("a stateless call under a key goes again when nobody knows what became of it, and no other", async () => {
  const { world, gateway, client } = stage();
  const told = (metadata: Record<string, unknown>, group = "host") =>
    new TroupeError(group, "lost", "Gone", { metadata });
  const cases = [
    { error: told(unknown), key: "k1", attempts: 2 },
    { error: told(unknown), attempts: 1 },
    { error: told({ applied: "no" }), key: "k1", attempts: 1 },
    // The action itself has thrown it, of a call that it made.
    { error: told({ ...unknown, kept: true }), key: "k1", attempts: 1 },
    { error: told(unknown, "user"), key: "k1", attempts: 1 },
  ];
  for (const { error, key, attempts } of cases) {
    const terms = key === undefined ? {} : { idempotencyKey: key };
    const before = gateway.calls.length;
    const call = watch(client.room.get("a").action({ name: "pay", ...terms }));
    await settled();
    gateway.call.reject(error);
    await settled();
    await world.pass(2_000);
    expect(gateway.calls.length - before).toBe(attempts);
    if (attempts === 1) expect(call.error).toBe(error);
    else gateway.call.resolve("1");
  }
});

test("on a connection it goes again on the link that is there, behind a wait and in its place, until its time is over", async () => {
  const { world, gateway, client } = stage();
  const conn = client.room.get("a").connect();
  const link = await gateway.accept();
  const keyed = watch(conn.action({ name: "pay", idempotencyKey: "k1" }));
  const plain = watch(conn.act());
  await settled();
  await link.say({ kind: "error", id: link.idOf("act"), error: { ...hostLost, metadata: unknown } });
  await link.say({ kind: "error", id: link.idOf("pay"), error: { ...hostLost, metadata: unknown } });
  expect([keyed.state, plain.code]).toEqual(["pending", "host.lost"]);
  const later = watch(conn.action({ name: "later" }));
  await settled();
  expect(link.told).toEqual(["act pay", "act act"]);
  await world.pass(1_000);
  expect(link.told).toEqual(["act pay", "act act", "act pay", "act later"]);
  // What comes then can't be that nothing was done.
  const busy = { group: "host", code: "none_available", message: "None", retryable: true };
  await link.say({ kind: "error", id: link.idOf("pay"), error: busy });
  expect(keyed).toMatchObject({
    code: "client.outcome_unknown",
    error: { cause: { code: "none_available" } },
  });
  await link.say({ kind: "reply", id: link.idOf("later"), output: 1 });
  expect(later.value).toBe(1);

  const endless = watch(conn.action({ name: "pay", idempotencyKey: "k2" }));
  await settled();
  for (let told = 0; told < 30 && endless.state === "pending"; told += 1) {
    await link.say({ kind: "error", id: link.idOf("pay"), error: { ...hostLost, metadata: unknown } });
    await world.pass(1_000);
  }
  expect([endless.code, link.told.filter((each) => each === "act pay").length]).toEqual(["host.lost", 18]);
  const disposed = conn.dispose();
  await link.drop(closeCodes.normal);
  await disposed;
  expect(world.pendingTimers).toBe(0);
});

test("a call that goes again and whose link is lost meanwhile is sent on the next one", async () => {
  const { world, gateway, client } = stage();
  const conn = client.room.get("a").connect();
  const first = await gateway.accept();
  const keyed = watch(conn.action({ name: "pay", idempotencyKey: "k1" }));
  await settled();
  await first.say({ kind: "error", id: first.idOf("pay"), error: { ...hostLost, metadata: unknown } });
  await first.drop(closeCodes.internal, "broken");
  await world.pass(250);
  const second = await gateway.accept();
  expect(second.told).toEqual(["act pay"]);
  await second.say({ kind: "reply", id: second.idOf("pay"), output: 1 });
  expect(keyed.value).toBe(1);
});
