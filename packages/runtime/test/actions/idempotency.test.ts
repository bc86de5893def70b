/** Idempotency keys: however often a call comes, it is applied once, and everybody gets its result. */
import { TroupeError, UserError } from "@troupe/base";
import { IDEMPOTENCY_HEADER, limits } from "@troupe/protocol";
import { actor } from "@troupe/runtime";
import { beforeEach, expect, test } from "vitest";
import { IDEMPOTENCY_PREFIX } from "../../src/ports/storage.ts";
import { Driver } from "../driver/driver.ts";
import { codeOf, Latch, rejection, watch } from "../driver/watch.ts";

let gate = new Latch();
const told: string[] = [];

beforeEach(() => {
  gate = new Latch();
  told.length = 0;
});

const bank = actor({
  types: {} as { connParams: { user: string } | undefined },
  state: { balance: 0, calls: 0 },
  options: { sleepTimeout: 3_600_000, actionTimeout: 10_000 },
  actions: {
    pay: (c, amount: number) => {
      c.state.calls += 1;
      c.state.balance += amount;
      return { balance: c.state.balance, at: new Date(5) };
    },
    refuse: (c) => {
      c.state.calls += 1;
      throw new UserError("no", { code: "no_money", metadata: { calls: c.state.calls } });
    },
    crash: (c) => {
      c.state.calls += 1;
      throw new Error("a secret");
    },
    passOn: (c) => {
      c.state.calls += 1;
      throw new TroupeError("host", "lost", "another actor's", { metadata: { applied: "unknown" } });
    },
    slow: async (c, amount: number) => {
      c.state.calls += 1;
      c.abortSignal.addEventListener("abort", () => told.push(codeOf(c.abortSignal.reason)));
      await gate.promise;
      c.state.balance += amount;
      return c.state.balance;
    },
    big: (c, bytes: number) => {
      c.state.calls += 1;
      return "x".repeat(bytes);
    },
    look: (c) => [c.state.balance, c.state.calls],
  },
});

function pay(driver: Driver<{ bank: typeof bank }>, key: string, amount = 5, action = "pay") {
  const headers = { [IDEMPOTENCY_HEADER]: key };
  return driver.http("POST", `/actor/bank/action/${action}`, { args: [amount] }, headers);
}

async function look(driver: Driver<{ bank: typeof bank }>) {
  return (await driver.act("bank", "look")).output;
}

test("a second call under a key gets the first one's result, whatever was between", async () => {
  await using driver = await Driver.start({ bank });
  const first = await pay(driver, "k1");
  expect(first.text).toContain('"balance":5');
  await pay(driver, "k2", 7);
  expect((await pay(driver, "k1")).text).toBe(first.text);
  expect(await look(driver)).toEqual([12, 2]);
  await driver.crash();
  expect((await pay(driver, "k1")).text).toBe(first.text);
  expect(await look(driver)).toEqual([12, 2]);
});

test("what the action wrote and its result are one batch", async () => {
  await using driver = await Driver.start({ bank });
  await look(driver);
  driver.takeBatches();
  await pay(driver, "k1");
  const [batch = [], ...more] = driver.takeBatches();
  expect(more).toEqual([]);
  const keys = batch.map(({ key }) => key);
  expect(keys.filter((key) => key.startsWith(IDEMPOTENCY_PREFIX))).toHaveLength(3);
  expect(keys.filter((key) => key.endsWith("balance") || key.endsWith("calls"))).toHaveLength(2);
});

test("a crash before the batch is on disk leaves neither: the call runs again", async () => {
  await using driver = await Driver.start({ bank });
  await look(driver);
  driver.syncs.hold();
  const lost = watch(pay(driver, "k1"));
  await driver.world.idle();
  expect(lost.state).toBe("pending");
  await driver.crash();
  expect((await pay(driver, "k1")).text).toContain('"balance":5');
  expect(await look(driver)).toEqual([5, 1]);
});

test("a call that a crash cut off when part of it was stored isn't run again: whoever calls is told", async () => {
  await using driver = await Driver.start({ bank });
  void pay(driver, "k1", 5, "slow");
  await driver.world.idle();
  await driver.crash();
  gate.open();
  expect(await look(driver)).toEqual([0, 1]);
  const cutOff = { status: 409, code: "actor.idempotency_cut_off", error: { metadata: { action: "slow" } } };
  expect(await pay(driver, "k1", 5, "slow")).toMatchObject(cutOff);
  expect((await pay(driver, "k1", 6, "slow")).code).toBe("actor.idempotency_conflict");
  expect(await look(driver)).toEqual([0, 1]);
  expect((await pay(driver, "k2", 5, "slow")).output).toBe(5);
  await driver.world.pass(limits.idempotencyKeptMs);
  expect((await pay(driver, "k1", 5, "slow")).output).toBe(10);
  await driver.world.idle();
  // The one of k1, its place, and how many there are.
  expect(await keptRows(driver)).toBe(3);
});

test("a call that a crash cut off before anything was stored runs again", async () => {
  await using driver = await Driver.start({ bank });
  await look(driver);
  driver.syncs.hold();
  void pay(driver, "k1", 5, "slow");
  await driver.world.idle();
  await driver.crash();
  gate.open();
  expect((await pay(driver, "k1", 5, "slow")).output).toBe(5);
  expect(await look(driver)).toEqual([5, 1]);
});

test("of a call of several turns that has ended, its result alone is kept", async () => {
  await using driver = await Driver.start({ bank });
  const first = watch(pay(driver, "k1", 5, "slow"));
  await driver.world.idle();
  gate.open();
  await driver.world.idle();
  expect(first.value?.output).toBe(5);
  expect(await keptRows(driver)).toBe(3);
  await driver.crash();
  expect((await pay(driver, "k1", 5, "slow")).output).toBe(5);
});

test("a batch that can't be stored keeps nothing: the call may be made again", async () => {
  await using driver = await Driver.start({ bank });
  await look(driver);
  driver.syncs.failWrites(1);
  expect((await pay(driver, "k1")).code).toBe("storage.commit_failed");
  await driver.world.idle();
  expect((await pay(driver, "k1")).text).toContain('"balance":5');
  expect(await look(driver)).toEqual([5, 1]);
});

test("a call whose answer was lost is sent again by the client, and applied once", async () => {
  await using driver = await Driver.start({ bank });
  await using client = driver.client();
  const handle = client.bank.getOrCreate();
  driver.lostAnswers = 2;
  const call = watch(handle.action({ name: "pay", args: [5], idempotencyKey: "k1" }));
  await driver.world.pass(5_000);
  expect(call.value).toEqual({ balance: 5, at: new Date(5) });
  driver.lostAnswers = 1;
  expect(await rejection(handle.pay(1))).toBe("client.outcome_unknown");
  expect(await handle.look()).toEqual([6, 2]);
});

test("what the action has thrown of another call is its result: it says so, and the client doesn't ask again", async () => {
  await using driver = await Driver.start({ bank });
  await using client = driver.client();
  for (const _ of ["first", "again"]) {
    const call = watch(client.bank.getOrCreate().action({ name: "passOn", idempotencyKey: "k1" }));
    await driver.world.idle();
    expect(call).toMatchObject({
      code: "host.lost",
      error: { metadata: { applied: "unknown", kept: true } },
    });
  }
  expect(await look(driver)).toEqual([0, 1]);
});

test("it is sent again for as long as its caller waits, and no longer", async () => {
  await using driver = await Driver.start({ bank });
  await using client = driver.client();
  driver.lostAnswers = Infinity;
  const terms = { idempotencyKey: "k1", timeoutMs: 40_000 };
  const call = watch(client.bank.getOrCreate().action({ name: "pay", args: [5], ...terms }));
  // Without a time of its own it would have been given up after 15 s.
  await driver.world.pass(30_000);
  expect(call.state).toBe("pending");
  await driver.world.pass(10_000);
  expect(["client.outcome_unknown", "client.deadline_exceeded"]).toContain(call.code);
  driver.lostAnswers = 0;
  expect(await look(driver)).toEqual([5, 1]);
});

test("on a connection that is lost, a call with a key goes again on the next link", async () => {
  await using driver = await Driver.start({ bank });
  await using client = driver.client();
  const connection = client.bank.getOrCreate().connect();
  await connection.ready;
  driver.syncs.hold();
  const keyed = watch(connection.action({ name: "pay", args: [5], idempotencyKey: "k1" }));
  const plain = watch(connection.pay(1));
  await driver.world.idle();
  driver.runtime.gateway.close();
  await driver.world.idle();
  expect([plain.code, keyed.state]).toEqual(["client.outcome_unknown", "pending"]);
  driver.syncs.letGo();
  await driver.world.pass(1_000);
  // Where the key is looked up elsewhere, the call without one may be first.
  expect([5, 6]).toContain(keyed.value && (keyed.value as { balance: number }).balance);
  expect(await connection.look()).toEqual([6, 2]);
});

test("calls that come while the first one runs join it: it runs once, and all are told", async () => {
  await using driver = await Driver.start({ bank });
  await using client = driver.client();
  const handle = client.bank.getOrCreate();
  const connection = handle.connect();
  const call = { name: "slow", args: [5], idempotencyKey: "k1" };
  const all = [handle.action(call), handle.action(call), connection.action(call)].map(watch);
  await driver.world.idle();
  expect(all.map(({ state }) => state)).toEqual(["pending", "pending", "pending"]);
  gate.open();
  await driver.world.idle();
  expect(all.map(({ value }) => value)).toEqual([5, 5, 5]);
  expect(await handle.look()).toEqual([5, 1]);
  expect(driver.runtime.host.size).toBe(1);
});

test("other arguments under the same key are a conflict, while it runs and afterwards", async () => {
  await using driver = await Driver.start({ bank });
  const first = watch(pay(driver, "k1", 5, "slow"));
  await driver.world.idle();
  const conflict = {
    status: 409,
    code: "actor.idempotency_conflict",
    error: { metadata: { action: "slow" } },
  };
  expect(await pay(driver, "k1", 6, "slow")).toMatchObject(conflict);
  gate.open();
  await driver.world.idle();
  expect(first.value?.output).toBe(5);
  expect(await pay(driver, "k1", 6, "slow")).toMatchObject(conflict);
  expect((await pay(driver, "k1", 5, "slow")).output).toBe(5);
  expect((await pay(driver, "k1", 6, "pay")).status).toBe(200);
  expect(await look(driver)).toEqual([11, 2]);
});

test("what an action throws is its result as well: it ran, and doesn't run again", async () => {
  await using driver = await Driver.start({ bank });
  const refused = await pay(driver, "k1", 0, "refuse");
  expect(refused).toMatchObject({ code: "user.no_money", error: { metadata: { calls: 1 } } });
  expect(await pay(driver, "k1", 0, "refuse")).toEqual(refused);
  expect(await pay(driver, "k2", 0, "crash")).toMatchObject({ status: 500, code: "internal.error" });
  const again = await pay(driver, "k2", 0, "crash");
  expect(again).toMatchObject({ status: 500, code: "internal.error" });
  expect(again.text).not.toContain("secret");
  expect(await look(driver)).toEqual([0, 2]);
});

test("each caller waits for its own time; when the last has gone the action is told, and its result is kept", async () => {
  await using driver = await Driver.start({ bank });
  await using client = driver.client();
  const connection = client.bank.getOrCreate().connect();
  await connection.ready;
  const call = { name: "slow", args: [5], idempotencyKey: "k1" };
  const short = watch(connection.action({ ...call, timeoutMs: 100 }));
  const long = watch(connection.action({ ...call, timeoutMs: 300 }));
  await driver.world.pass(100);
  expect([short.code, long.state, told]).toEqual(["client.deadline_exceeded", "pending", []]);
  await driver.world.pass(200);
  expect([long.code, told.length]).toEqual(["client.deadline_exceeded", 1]);
  gate.open();
  await driver.world.idle();
  expect(await connection.action(call)).toBe(5);
  expect(await connection.look()).toEqual([5, 1]);
});

test("a caller that has no time of its own has the actor's", async () => {
  await using driver = await Driver.start({ bank });
  const late = watch(pay(driver, "k1", 5, "slow"));
  await driver.world.pass(10_000);
  expect(late.value?.code).toBe("actor.action_timed_out");
  gate.open();
  await driver.world.idle();
  expect((await pay(driver, "k1", 5, "slow")).output).toBe(5);
});

test("a client that disconnects may be about to send its call again: that is no cancel", async () => {
  await using driver = await Driver.start({ bank });
  const client = driver.client();
  void client.bank
    .getOrCreate()
    .action({ name: "slow", args: [5], idempotencyKey: "k1" })
    .catch(() => {});
  await driver.world.idle();
  await client.dispose();
  await driver.world.idle();
  expect(told).toEqual([]);
});

test("a key belongs to whoever has the same connection parameters", async () => {
  await using driver = await Driver.start({ bank });
  await using client = driver.client();
  const call = { name: "pay", args: [5], idempotencyKey: "k1" };
  const as = (user: string) => client.bank.getOrCreate([], { params: { user } });
  await as("ann").action(call);
  await as("bob").action(call);
  await as("ann").connect().action(call);
  expect(await look(driver)).toEqual([10, 2]);
});

test("callerIdentity says who a caller is, where its parameters change", async () => {
  const types = {} as { connParams: { user: string; token: number } };
  const vault = actor({
    types,
    state: { n: 0 },
    onBeforeConnect: (_c, params) => {
      if (params.token === 0) throw new UserError("no", { code: "no" });
    },
    createConnState: (_c, params) => ({ user: params.user }),
    callerIdentity: (c) => c.conn.state.user,
    actions: {
      add: (c) => {
        c.state.n += 1;
        return c.state.n;
      },
    },
  });
  const odd = actor({
    callerIdentity: () => "x".repeat(limits.callerIdentityLength + 1),
    actions: { a: () => 1 },
  });
  await using driver = await Driver.start({ vault, odd });
  await using client = driver.client();
  const add = (user: string, token: number) =>
    client.vault.getOrCreate([], { params: { user, token } }).action({ name: "add", idempotencyKey: "k" });
  expect([await add("ann", 1), await add("ann", 2), await add("bob", 3)]).toEqual([1, 1, 2]);
  // Who isn't let in learns nothing of what is kept.
  expect(await rejection(add("ann", 0))).toBe("user.no");
  const wrong = await driver.http("POST", "/actor/odd/action/a", {}, { [IDEMPOTENCY_HEADER]: "k" });
  expect(wrong.code).toBe("actor.bad_caller_identity");
});

test("all attempts of one call are one caller's, though getParams gives a renewed token for each", async () => {
  await using driver = await Driver.start({ bank });
  let token = 0;
  await using client = driver.client({ getParams: () => ({ user: `ann.${++token}` }) });
  const handle = client.bank.getOrCreate();
  const call = { name: "pay", args: [5], idempotencyKey: "k1" };
  driver.lostAnswers = 2;
  const lost = watch(handle.action(call));
  await driver.world.pass(5_000);
  expect(lost.value).toMatchObject({ balance: 5 });
  expect(token).toBe(3);
  // Nobody who knows the key alone is answered for her.
  await client.bank.getOrCreate([], { params: { user: "mallory" } }).action(call);
  expect(await look(driver)).toEqual([10, 2]);
});

test("what a call with a ticket came to is found by either name, by the next activation too", async () => {
  await using driver = await Driver.start({ bank });
  const attempt = async (user: string, ticket?: string) => {
    const body = { args: [5], params: { user }, ...(ticket === undefined ? {} : { ticket }) };
    return (await driver.http("POST", "/actor/bank/action/pay", body, { [IDEMPOTENCY_HEADER]: "k1" })).text;
  };
  const first = await attempt("ann.1", "t-1");
  await driver.crash();
  expect(await attempt("ann.2", "t-1")).toBe(first);
  expect(await attempt("ann.1")).toBe(first);
  expect(await attempt("ann.2")).not.toBe(first);
  expect(await attempt("bob", "t-2")).not.toBe(first);
  expect(await attempt("bob", "no ticket")).toContain("protocol.malformed_frame".split(".")[1]);
  expect(await look(driver)).toEqual([15, 3]);
});

test("on a connection that is lost, a call with a key is found by its next link, which has other parameters", async () => {
  await using driver = await Driver.start({ bank });
  let token = 0;
  await using client = driver.client({ getParams: () => ({ user: `ann.${++token}` }) });
  const connection = client.bank.getOrCreate().connect();
  await connection.ready;
  driver.syncs.hold();
  const keyed = watch(connection.action({ name: "pay", args: [5], idempotencyKey: "k1" }));
  await driver.world.idle();
  driver.runtime.gateway.close();
  await driver.world.idle();
  driver.syncs.letGo();
  await driver.world.pass(1_000);
  expect([token, keyed.value]).toMatchObject([2, { balance: 5 }]);
  expect(await look(driver)).toEqual([5, 1]);
});

test("where the actor knows its callers, a call is kept once, ticket or not", async () => {
  const known = actor({ callerIdentity: () => "ann", state: { n: 0 }, actions: { add: (c) => ++c.state.n } });
  await using driver = await Driver.start({ known });
  await using client = driver.client({ getParams: () => ({ token: 1 }) });
  await client.known.getOrCreate().action({ name: "add", idempotencyKey: "k1" });
  const rows = driver.takeBatches().flat();
  expect(rows.filter(({ key }) => key.startsWith(`${IDEMPOTENCY_PREFIX}k:`))).toHaveLength(1);
});

test("arguments that are refused have no result: the key is free for the right ones", async () => {
  const strict = actor({
    actions: { add: (_c, n: number) => n + 1 },
    actionInputSchemas: {
      add: {
        "~standard": {
          version: 1,
          vendor: "by-hand",
          validate: (value) =>
            Array.isArray(value) && typeof value[0] === "number"
              ? { value }
              : { issues: [{ message: "not a number" }] },
        },
      },
    },
  });
  await using driver = await Driver.start({ strict });
  const add = (arg: unknown) =>
    driver.http("POST", "/actor/strict/action/add", { args: [arg] }, { [IDEMPOTENCY_HEADER]: "k" });
  expect((await add("1")).code).toBe("actor.validation_error");
  expect((await add(1)).output).toBe(2);
});

test("of a result that is too large to be kept, only that it was", async () => {
  await using driver = await Driver.start({ bank });
  const bytes = limits.idempotencyResultBytes;
  expect((await pay(driver, "k1", bytes, "big")).status).toBe(200);
  expect(await pay(driver, "k1", bytes, "big")).toMatchObject({
    status: 410,
    code: "actor.idempotency_result_too_large",
    error: { metadata: { limit: bytes } },
  });
  expect(await look(driver)).toEqual([0, 1]);
});

test("a result that comes in items can't be kept, and is refused before anything of it runs", async () => {
  let begun = 0;
  const stream = actor({
    actions: {
      count: async function* () {
        begun += 1;
        yield begun;
      },
    },
  });
  await using driver = await Driver.start({ stream });
  const headers = { [IDEMPOTENCY_HEADER]: "k" };
  expect((await driver.http("POST", "/actor/stream/action/count", {}, headers)).code).toBe(
    "actor.idempotency_in_items",
  );
  expect(begun).toBe(0);
});

test("a result is kept for a day; then the key is free, and its rows are gone", async () => {
  await using driver = await Driver.start({ bank });
  await pay(driver, "k1");
  await driver.world.pass(limits.idempotencyKeptMs - 1);
  await pay(driver, "k1");
  expect(await look(driver)).toEqual([5, 1]);
  await driver.world.pass(1);
  await pay(driver, "k1");
  expect(await look(driver)).toEqual([10, 2]);
  await driver.world.pass(limits.idempotencyKeptMs);
  await pay(driver, "k2");
  await driver.world.idle();
  // The one of k2, its place, and how many there are.
  expect(await keptRows(driver)).toBe(3);
});

async function keptRows(driver: Driver<{ bank: typeof bank }>): Promise<number> {
  const { actorId = "" } = await driver.http("POST", "/actor/bank/resolve");
  return driver.disk.rows(actorId).filter(({ key }) => key.startsWith(IDEMPOTENCY_PREFIX)).length;
}
