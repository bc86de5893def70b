/** What goes wrong between an engine and its hosts: each error has a type on the wire, and takes down only what it is about. */
import { limits } from "@troupe/protocol";
import { actor, db, event } from "@troupe/runtime";
import { expect, test } from "vitest";
import { CarriedSql } from "../../src/actor/carried/carried-sql.ts";
import { hostProtocol, type Introduced } from "../../src/remote/compatibility.ts";
import { remoteActor } from "../../src/remote/remote-actor.ts";
import { SqlWorkers } from "../../src/remote/sql-workers.ts";
import { Driver } from "../driver/driver.ts";
import { codeOf, rejection, watch } from "../driver/watch.ts";
import { World } from "../driver/world.ts";
import { sqlOwner, startHost } from "./host.ts";

let gate = Promise.withResolvers<void>();
let away = Promise.withResolvers<void>();
/** What the statements of an actor ended with. */
let ends: unknown[] = [];

const clumsy = actor({
  state: { bag: new Map<string, unknown>(), calls: 0 },
  db: db({ onMigrate: (database) => database.execute("CREATE TABLE IF NOT EXISTS t (n)").then(() => {}) }),
  events: { said: event<[what: unknown]>() },
  actions: {
    fine: (c) => {
      c.state.calls += 1;
      return c.state.calls;
    },
    output: () => () => "a function",
    outsize: () => "x".repeat(limits.outgoingMessageBytes + 1),
    says: (c) => c.broadcast("said", () => 3),
    binds: async (c) => void (await c.db.execute("INSERT INTO t VALUES (?)", Symbol("no") as never)),
    asks: (c): Promise<unknown> =>
      c
        .client()
        .getOrCreate("clumsy", ["other"])
        .action({ name: "fine", args: [() => 4] }),
    fails: () => {
      throw Object.assign(new Error("no"), { group: "mine", code: () => 5 });
    },
    poison: (c) => void c.state.bag.set("poison", () => 6),
    late: async (c) => {
      await gate.promise;
      const sent = c.db.execute("INSERT INTO t VALUES (2)").catch((error: unknown) => error);
      await away.promise;
      const never = c.db.execute("INSERT INTO t VALUES (3)").catch((error: unknown) => error);
      ends = [await sent, await never];
    },
  },
});

async function engine() {
  gate = Promise.withResolvers();
  away = Promise.withResolvers();
  const use = { clumsy: remoteActor<typeof clumsy>({ database: true }) };
  const driver = await Driver.start(use, { hostToken: "secret", databases: true });
  const hosts = () => driver.runtime.hosts;
  const host = startHost({ world: driver.world, hosts, use: { clumsy } });
  await driver.world.idle();
  return { driver, hosts, ...host };
}

test("S3.5 what can't be encoded, either way, fails its request alone: the link and everybody else's calls go on", async () => {
  const { driver, links } = await engine();
  await using _ = driver;
  const bystander = driver.socket("/actor/clumsy/connect?key=bystander").hello();
  await driver.world.idle();
  const wrong = ["output", "outsize", "says", "binds", "asks", "fails", "poison"];
  for (const [index, action] of wrong.entries()) {
    const failed = watch(driver.act("clumsy", action));
    bystander.action(index, "fine");
    await driver.world.idle();
    expect([action, failed.value]).toMatchObject([
      action,
      { status: expect.toSatisfy((status) => status >= 400) },
    ]);
    expect(bystander.story.at(-1)).toBe(`reply ${index} ${index + 1}`);
  }
  const client = driver.runtime.client();
  const calling = client.getOrCreate("clumsy", ["x"]).action({ name: "fine", args: [() => 7] });
  expect(await rejection(calling)).toMatch(/^value\./);
  // The actor with the poisoned state began anew; the link is the one that was there at first.
  expect(await driver.act("clumsy", "fine")).toMatchObject({ output: 1 });
  expect([links.length, driver.runtime.hosts.size]).toEqual([1, 1]);
});

test("S3.4 each error of remote SQL has a group and a code of its own, and says in its metadata what is known of the statement", async () => {
  const { driver, hosts, links } = await engine();
  await using _ = driver;
  await driver.act("clumsy", "fine");
  const call = watch(driver.act("clumsy", "late"));
  await driver.world.idle();
  hosts().accept = () => {};
  gate.resolve();
  await driver.world.until(() => links[0]?.bufferedBytes === 0);
  links[0]?.break();
  await driver.world.pass(100);
  away.resolve();
  await driver.world.pass(limits.hostResumeMs);
  expect(call.value).toMatchObject({ code: "host.lost" });
  expect(ends).toMatchObject([
    { group: "sqlite", code: "remote_indeterminate_result", metadata: { applied: "unknown" } },
    { group: "sqlite", code: "remote_unavailable", retryable: true, metadata: { applied: "no" } },
  ]);
  const world = new World();
  const openSql = () => ({
    execute: () => {
      throw new Error("sqlite.busy: the words of an error are nobody's business");
    },
    ...{ batch: () => [], series: () => {} },
    savepoint: () => ({ release: () => {}, rollback: () => {} }),
  });
  const sql = new CarriedSql(sqlOwner({ world, openSql }), {});
  const statement = { sql: "SELECT 1", params: new Uint8Array([0x80]), transaction: 0 };
  expect(await rejection(sql.execute(statement))).toBe("sqlite.remote_execution_failed");
  const share = new SqlWorkers(world).share();
  const held = Promise.withResolvers<void>();
  const all = Array.from({ length: limits.sqlWorkersOfActor + limits.sqlWaiting }, () =>
    watch((async () => await share.run(() => held.promise))()),
  );
  expect(codeOf(await (async () => await share.run(() => {}))().catch((error: unknown) => error))).toBe(
    "sqlite.busy",
  );
  const stopped = share.stop();
  held.resolve();
  await stopped;
  expect(all.at(-1)?.code).toBe("sqlite.stopping");
});

test("S3.4 a message that isn't placed fails the build, and each that is there has its place", () => {
  const { heartbeat: _left, ...missing } = hostProtocol.introduced.host_to_engine;
  // @ts-expect-error a message of the schema has no row
  const unplaced: Introduced["host_to_engine"] = missing;
  // @ts-expect-error a row is about no message
  const invented: Introduced["engine_to_host"] = { ...hostProtocol.introduced.engine_to_host, invented: 1 };
  expect([Object.keys(unplaced).length, Object.keys(invented).length]).toEqual([
    Object.keys(hostProtocol.introduced.host_to_engine).length - 1,
    Object.keys(hostProtocol.introduced.engine_to_host).length + 1,
  ]);
});
