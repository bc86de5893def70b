/** SQL of actors on remote hosts: whose turn it is, what is refused, and what is known of a statement when the line is lost. */
import { limits } from "@troupe/protocol";
import { encodeBindParams, fromCarriedError } from "@troupe/protocol/actor/v1";
import { actor, db } from "@troupe/runtime";
import { expect, test, vi } from "vitest";
import { CarriedSql } from "../../src/actor/carried/carried-sql.ts";
import { remoteActor } from "../../src/remote/remote-actor.ts";
import { SqlWorkers } from "../../src/remote/sql-workers.ts";
import { Driver } from "../driver/driver.ts";
import { codeOf, watch } from "../driver/watch.ts";
import { macrotask, World } from "../driver/world.ts";
import { SpokenHost, sqlOwner, startHost } from "./host.ts";

/** What the statements of an actor ended with. */
const ends: string[] = [];

const ledger = actor({
  db: db({
    onMigrate: async (database) => {
      await database.execute("CREATE TABLE IF NOT EXISTS entries (amount INTEGER)");
    },
  }),
  actions: {
    add: async (c, count: number) => {
      for (let entry = 0; entry < count; entry += 1) await c.db.execute("INSERT INTO entries VALUES (1)");
    },
    count: async (c) => (await c.db.execute<{ n: number }>("SELECT count(*) AS n FROM entries"))[0]?.n,
    run: async (c, what: "text" | "parameters" | "bound") => {
      const insert = "INSERT INTO entries VALUES (1)";
      const statements = {
        text: () => c.db.execute(`${insert} --${"x".repeat(limits.sqlBytes)}`),
        parameters: () => c.db.execute(insert, ...new Array(limits.sqlParameters + 1).fill(1)),
        bound: () => c.db.execute("INSERT INTO entries VALUES (?)", new Uint8Array(limits.sqlBoundBytes + 1)),
      };
      return await statements[what]().then(() => "done", codeOf);
    },
    addTogether: async (c, count: number, fate: "stays" | "is undone") =>
      await c.db
        .transaction(async (tx) => {
          const all = Array.from({ length: count }, () => tx.execute("INSERT INTO entries VALUES (1)"));
          await Promise.all(all);
          if (fate === "is undone") throw new Error("it is");
        })
        .then(() => "done", codeOf),
    /** How many of them ended in which way. */
    addApart: async (c, count: number, bytes = 1) => {
      const insert = (): Promise<unknown> =>
        c.db.execute("INSERT INTO entries VALUES (length(?))", new Uint8Array(bytes));
      const all = await Promise.all(Array.from({ length: count }, () => insert().then(() => "done", codeOf)));
      const busy = all.filter((end) => end === "sqlite.busy").length;
      return { done: all.filter((end) => end === "done").length, busy };
    },
    inOrder: async (c, count: number) => {
      const insert = (amount: number) => c.db.execute("INSERT INTO entries VALUES (?)", amount);
      const before = Array.from({ length: count }, (_, index) => insert(index));
      const batch = c.db.batch([{ sql: "INSERT INTO entries VALUES (?)", args: [count] }]);
      const transaction = c.db.transaction(
        async (tx) => await tx.execute("INSERT INTO entries VALUES (?)", count + 1),
      );
      const behind = Array.from({ length: count }, (_, index) => insert(count + 2 + index));
      await Promise.all([...before, batch, transaction, ...behind]);
      const rows = await c.db.execute<{ amount: number }>("SELECT amount FROM entries ORDER BY rowid");
      return rows.every(({ amount }, index) => amount === index) ? rows.length : rows;
    },
    addBatch: (c, count: number) =>
      c.db.batch(Array.from({ length: count }, () => "INSERT INTO entries VALUES (1)")),
    late: async (c) => {
      await gate.promise;
      const sent = c.db.execute("INSERT INTO entries VALUES (2)").catch(codeOf);
      await away.promise;
      const never = c.db.execute("INSERT INTO entries VALUES (3)").catch(codeOf);
      const batch = c.db.batch(["INSERT INTO entries VALUES (4)"]).catch(codeOf);
      ends.push(String(await sent), String(await never), String(await batch));
    },
  },
});

let away = Promise.withResolvers<void>();
let gate = Promise.withResolvers<void>();

async function engine() {
  gate = Promise.withResolvers<void>();
  away = Promise.withResolvers<void>();
  ends.length = 0;
  const use = { ledger: remoteActor<typeof ledger>({ database: true }) };
  const driver = await Driver.start(use, { hostToken: "secret", databases: true });
  const hosts = () => driver.runtime.hosts;
  return { driver, hosts, host: () => startHost({ world: driver.world, hosts, use: { ledger } }) };
}

test("S3.3 limits of a statement are checked before it is run, with a host between as without one", async () => {
  const { driver, host } = await engine();
  await using _ = driver;
  host();
  await driver.world.idle();
  for (const [what, code] of Object.entries({
    text: "sql.text_too_long",
    parameters: "sql.too_many_parameters",
    bound: "sql.parameters_too_large",
  }))
    expect(await driver.act("ledger", "run", what)).toMatchObject({ output: code });
  expect(await driver.act("ledger", "count")).toMatchObject({ output: 0 });
});

test("S3.3 32 workers, shared fairly: an actor with a thousand statements keeps nobody waiting, and its own keep their order", async () => {
  const world = new World();
  const workers = new SqlWorkers(world);
  const [busy, quiet] = [workers.share(), workers.share()];
  const open: PromiseWithResolvers<void>[] = [];
  const begun: string[] = [];
  const slow = (name: string) => () => {
    begun.push(name);
    const held = Promise.withResolvers<void>();
    open.push(held);
    return held.promise;
  };
  for (let index = 0; index < 1_000; index += 1) void busy.run(slow(`busy ${index}`));
  expect(begun).toEqual(Array.from({ length: limits.sqlWorkersOfActor }, (_, index) => `busy ${index}`));
  void quiet.run(slow("quiet"));
  expect(begun.at(-1)).toBe("quiet");
  const crowd = Array.from({ length: 4 }, () => workers.share());
  for (const [index, share] of crowd.entries())
    for (let count = 0; count < 20; count += 1) void share.run(slow(`crowd ${index}`));
  expect(open.length).toBe(limits.sqlWorkers);
  const before = begun.length;
  for (let index = 0; index < 10; index += 1) {
    open[index]?.resolve();
    await world.idle();
  }
  // Whoever waits has a turn: none of them gets two while another one gets none.
  const next = begun.slice(before).map((name) =>
    name
      .split(" ")
      .slice(0, name.startsWith("busy") ? 1 : 2)
      .join(" "),
  );
  for (const share of new Set(next))
    expect(next.filter((name) => name === share).length).toBeLessThanOrEqual(5);
  expect(new Set(next).size).toBeGreaterThanOrEqual(3);
  const ofBusy = begun.filter((name) => name.startsWith("busy"));
  expect(ofBusy).toEqual(ofBusy.map((_, index) => `busy ${index}`));
});

test("S3.3 what waits is bounded, and a flood of quick statements lets others in with each turn", async () => {
  const world = new World();
  const workers = new SqlWorkers(world);
  const flood = workers.share();
  let done = 0;
  const all = Array.from({ length: limits.sqlWaiting + limits.sqlWorkersOfActor }, async () =>
    flood.run(() => {
      done += 1;
    }),
  );
  const refused = watch((async () => await flood.run(() => {}))());
  expect(done).toBe(limits.sqlWorkersOfActor);
  await world.idle();
  await Promise.all(all);
  expect([refused.code, done]).toEqual(["sqlite.busy", all.length]);
});

test("S3.3 a batch counts by its statements: what waits isn't more than may wait, unless it waits alone", async () => {
  const world = new World();
  const share = new SqlWorkers(world).share();
  const held = Promise.withResolvers<void>();
  for (let index = 0; index < limits.sqlWorkersOfActor; index += 1) void share.run(() => held.promise);
  const wait = (count: number) => watch((async () => await share.run(() => count, count))());
  const [most, refused] = [wait(limits.sqlBatchStatements), wait(1)];
  held.resolve();
  await world.idle();
  expect([most.value, refused.code]).toEqual([limits.sqlBatchStatements, "sqlite.busy"]);
  const again = Promise.withResolvers<void>();
  for (let index = 0; index < limits.sqlWorkersOfActor; index += 1) void share.run(() => again.promise);
  const [first, tooMany, last] = [wait(limits.sqlWaiting - 1), wait(2), wait(1)];
  again.resolve();
  await world.idle();
  expect([first.state, tooMany.code, last.state]).toEqual(["resolved", "sqlite.busy", "resolved"]);
});

test("S3.2 a stop refuses what waits, ends transactions, waits for what runs, and not for ever; all who wait for it share one wait", async () => {
  const world = new World();
  const share = new SqlWorkers(world).share();
  const held = Promise.withResolvers<void>();
  for (let index = 0; index < limits.sqlWorkersOfActor; index += 1) void share.run(() => held.promise);
  const waits = watch((async () => await share.run(() => {}))());
  let ended = false;
  const end = watch(
    (async () =>
      await share.end(() => {
        ended = true;
      }))(),
  );
  const stops = [watch(share.stop()), watch(share.stop())];
  await world.idle();
  expect([waits.code, end.state, ended]).toEqual(["sqlite.stopping", "resolved", true]);
  expect(stops.map(({ state }) => state)).toEqual(["pending", "pending"]);
  const refused = watch((async () => await share.run(() => {}))());
  await world.pass(limits.sqlDrainMs - 10);
  expect(refused.code).toBe("sqlite.stopping");
  expect(stops[0]?.state).toBe("pending");
  await world.pass(20);
  expect(stops.map(({ state }) => state)).toEqual(["resolved", "resolved"]);
  // The last of what ran ends behind the stop: nothing is left of it, and the next wait is over at once.
  held.resolve();
  await share.stop();
});

test("statements of one turn travel together, both ways: a thousand inserts are a dozen messages, a batch is one", async () => {
  const { driver, host } = await engine();
  await using _ = driver;
  const { links } = host();
  await driver.world.idle();
  await driver.act("ledger", "add", 1);
  const [link] = links;
  if (link === undefined) throw new Error("the host has no link");
  const said = vi.spyOn(link, "send");
  const messages = async (act: () => Promise<unknown>): Promise<number> => {
    said.mockClear();
    await act();
    return said.mock.calls.length;
  };
  // Begin, four groups and the end, the Write of the turn, the reply, and what acknowledges.
  expect(await messages(() => driver.act("ledger", "addTogether", 1_000, "stays"))).toBeLessThan(12);
  expect(await messages(() => driver.act("ledger", "addBatch", 1_000))).toBeLessThan(6);
  expect(await driver.act("ledger", "addTogether", 500, "is undone")).toMatchObject({
    output: "Error: it is",
  });
  expect(await driver.act("ledger", "count")).toMatchObject({ output: 2_001 });
});

test("5,000 statements that are awaited together go through: what the engine has no room for waits in the host, in its order", async () => {
  const { driver, host } = await engine();
  await using _ = driver;
  const { links } = host();
  await driver.world.idle();
  expect(await driver.act("ledger?key=a", "addApart", 5_000)).toMatchObject({
    output: { done: 5_000, busy: 0 },
  });
  expect(await driver.act("ledger?key=a", "count")).toMatchObject({ output: 5_000 });
  expect(await driver.act("ledger?key=b", "inOrder", 3_000)).toMatchObject({ output: 6_002 });
  // A flood of one actor's keeps no other one waiting for its end.
  const said = vi.spyOn(links[0] ?? Object.assign({}, { send: () => {} }), "send");
  const flood = watch(driver.act("ledger?key=a", "addApart", 20_000));
  await driver.world.until(() => said.mock.calls.length > 0);
  expect(await driver.act("ledger?key=c", "add", 5)).toMatchObject({ status: 200 });
  expect(flood.state).toBe("pending");
  await driver.world.until(() => flood.state !== "pending");
  expect(flood.value).toMatchObject({ output: { done: 20_000, busy: 0 } });
});

test("what waits in the host is bounded, by number and bytes: past it a statement is refused, and nothing of it was sent", async () => {
  const { driver, host } = await engine();
  await using _ = driver;
  host();
  await driver.world.idle();
  const { output } = await driver.act("ledger", "addApart", limits.sqlHeld + limits.sqlWaiting + 1_000);
  expect(output).toEqual({ done: limits.sqlHeld + limits.sqlWaiting, busy: 1_000 });
  expect(await driver.act("ledger", "count")).toMatchObject({ output: limits.sqlHeld + limits.sqlWaiting });
  const most = limits.sqlHeldBytes + limits.sqlBatchBytes;
  const wide = await driver.act("ledger", "addApart", most / limits.sqlBoundBytes + 10, limits.sqlBoundBytes);
  expect(Object(wide.output).busy).toBeGreaterThanOrEqual(10);
  expect(Object(wide.output).done).toBeGreaterThan(limits.sqlHeldBytes / limits.sqlBoundBytes);
});

test("S3.3 what comes together is bounded at the engine as well, whatever a host says", async () => {
  const world = new World();
  const openSql = () => {
    throw new Error("nothing of it is run");
  };
  const sql = new CarriedSql(sqlOwner({ world, openSql }), {});
  const of = (count: number, text: string) => ({
    texts: [text],
    statements: Array.from({ length: count }, () => ({ text: 0, params: encodeBindParams([]) })),
    ...{ transaction: 0, whole: true },
  });
  for (const whole of [true, false]) {
    const many = sql.batch({ ...of(limits.sqlBatchStatements + 1, "SELECT 1"), whole }, () => {});
    expect(await many.catch(codeOf)).toBe("sql.too_many_statements");
    const wide = sql.batch({ ...of(5, "x".repeat(limits.sqlBytes)), whole }, () => {});
    expect(await wide.catch(codeOf)).toBe("sql.batch_too_large");
    const strange = {
      ...of(1, "SELECT 1"),
      statements: [{ text: 0, params: new Uint8Array([0x60]) }],
      whole,
    };
    expect(await sql.batch(strange, () => {}).catch(codeOf)).toBe("sql.malformed");
  }
});

test("S3.6 (in part), S3.4 (in part): a statement that was sent has an unknown result, one that never was is unavailable", async () => {
  const { driver, hosts, host } = await engine();
  await using _ = driver;
  const { links } = host();
  await driver.world.idle();
  await driver.act("ledger", "add", 1);
  const call = watch(driver.act("ledger", "late"));
  await driver.world.idle();
  hosts().accept = () => {};
  gate.resolve();
  await macrotask();
  links[0]?.break();
  await driver.world.pass(100);
  away.resolve();
  await driver.world.pass(limits.hostResumeMs);
  expect(call.value).toMatchObject({ code: "host.lost" });
  expect(ends).toEqual([
    "sqlite.remote_indeterminate_result",
    "sqlite.remote_unavailable",
    "sqlite.remote_unavailable",
  ]);
});

test("S3.7 (in part): SQL of an activation that was given up is refused as fenced, typed", async () => {
  const { driver, hosts } = await engine();
  await using _ = driver;
  const zombie = new SpokenHost(driver.world, hosts()).hello();
  await driver.world.idle();
  const value = {
    ask: 7,
    about: {
      $case: "sqlExecute" as const,
      value: { sql: "DELETE FROM entries", params: new Uint8Array(), transaction: 0 },
    },
  };
  zombie.say({ $case: "actor", value: { instance: 99, body: { $case: "ask", value } } });
  await driver.world.idle();
  const answer = zombie.words().at(-1)?.body;
  const error = answer?.$case === "answer" ? answer.value.error : undefined;
  expect(error && fromCarriedError(error, "cbor")).toMatchObject({
    group: "sqlite",
    code: "remote_fence_mismatch",
    metadata: { applied: "no" },
  });
});
