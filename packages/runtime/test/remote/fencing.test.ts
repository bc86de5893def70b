/** An activation that was given up, on a host that is still connected: whatever it says is told apart, and changes nothing. */
import {
  encodeBindParams,
  encodePayload,
  fromCarriedError,
  NO_PAYLOAD,
  Space,
} from "@troupe/protocol/actor/v1";
import { actor, db } from "@troupe/runtime";
import { expect, test } from "vitest";
import { CarriedSql } from "../../src/actor/carried/carried-sql.ts";
import type { ActorSaying } from "../../src/ports/carried.ts";
import { remoteActor } from "../../src/remote/remote-actor.ts";
import { SqlWorkers } from "../../src/remote/sql-workers.ts";
import { Driver } from "../driver/driver.ts";
import { watch } from "../driver/watch.ts";
import { World } from "../driver/world.ts";
import { SpokenHost, sqlOwner, startHost } from "./host.ts";

const counter = actor({
  state: { count: 0 },
  db: db({
    onMigrate: (database) => database.execute("CREATE TABLE IF NOT EXISTS t (n INTEGER)").then(() => {}),
  }),
  actions: {
    increment: async (c, by: number) => {
      await c.db.execute("INSERT INTO t VALUES (?)", by);
      c.state.count += by;
      return c.state.count;
    },
    rows: async (c) => (await c.db.execute<{ n: number }>("SELECT n FROM t")).map(({ n }) => n),
  },
});

const ask = (number: number, about: NonNullable<Extract<ActorSaying, { $case: "ask" }>["value"]["about"]>) =>
  ({ $case: "ask", value: { ask: number, about } }) as const;
const sql = (text: string) => ({ sql: text, params: NO_PAYLOAD, transaction: 0 });

/** Each way in which an activation changes, or learns, what is stored. */
const sayings: readonly ActorSaying[] = [
  ask(1, { $case: "sqlExecute", value: sql("DELETE FROM t") }),
  ask(2, { $case: "sqlBegin", value: { transaction: 1, outer: 0, timeoutMs: 0 } }),
  ask(3, { $case: "sqlEnd", value: { transaction: 1, undo: false } }),
  ask(4, { $case: "barrier", value: {} }),
  ask(5, { $case: "kvGet", value: { keys: [new Uint8Array([1])] } }),
  ask(6, { $case: "ownGet", value: { keys: ["~q:x"] } }),
];

test("an actor that was placed on a host that is gone since is told when it has its line, and counts nowhere", async () => {
  const use = { counter: remoteActor<typeof counter>() };
  await using driver = await Driver.start(use, { hostToken: "secret" });
  const { hosts } = driver.runtime;
  const host = new SpokenHost(driver.world, hosts).hello();
  await driver.world.idle();
  const carrier = await hosts.carrier({ namespace: "default", pool: "default", name: "counter" });
  host.raw("no message of a host");
  await driver.world.idle();
  expect(carrier.open).toBe(false);
  const story: string[] = [];
  const line = carrier.connect({ heard: () => {}, lost: ({ code }) => void story.push(code) });
  story.push("line");
  line.send({ $case: "cancel", value: { call: 1 } });
  await driver.world.idle();
  expect(story).toEqual(["line", "lost"]);
});

test("S3.7 a stale generation is fenced out: its SQL, reads and barriers are refused by type, its writes end it, and its answers are nobody's", async () => {
  const use = { counter: remoteActor<typeof counter>({ database: true }) };
  await using driver = await Driver.start(use, { hostToken: "secret", databases: true });
  const hosts = () => driver.runtime.hosts;
  const zombie = new SpokenHost(driver.world, hosts()).hello();
  await driver.world.idle();
  const call = watch(driver.act("counter", "increment", 1));
  await driver.world.idle();
  const [first] = zombie.words();
  expect(first?.body?.$case).toBe("start");
  // Its start never ends here: the engine gives the activation up, and not the host, which goes on beating.
  for (let beat = 0; beat < 40 && call.state === "pending"; beat += 1) {
    zombie.say({ $case: "heartbeat", value: { number: 0, received: 0 } });
    await driver.world.pass(1_000);
  }
  expect(call.state).not.toBe("pending");
  void hosts().drain({ programVersion: 0 }, 1_000_000);
  const real = startHost({ world: driver.world, hosts, use: { counter }, programVersion: 1 });
  await driver.world.idle();
  expect(await driver.act("counter", "increment", 2)).toMatchObject({ output: 2 });
  driver.takeBatches();
  const before = zombie.told.length;
  for (const body of sayings) zombie.say({ $case: "actor", value: { instance: 1, body } });
  const value = encodePayload(99, "cbor");
  const row = { space: Space.STATE, key: "count", blobKey: NO_PAYLOAD, value, deleted: false };
  const write = { $case: "write" as const, value: { rows: [row], alarmChanged: true, alarmAt: 1 } };
  zombie.say({ $case: "actor", value: { instance: 1, body: write } });
  const reply = { call: 1, value, error: undefined, refused: false, begun: true };
  zombie.say({ $case: "actor", value: { instance: 1, body: { $case: "reply", value: reply } } });
  await driver.world.idle();
  const told = zombie.words().slice(before);
  const errors = told.flatMap(({ body }) => (body?.$case === "answer" ? [body.value] : []));
  expect(errors.map(({ ask: number, error }) => [number, codeIn(error)])).toEqual([
    ...[1, 2, 3].map((number) => [number, "sqlite.remote_fence_mismatch"]),
    ...[4, 5, 6].map((number) => [number, "storage.fenced"]),
  ]);
  expect(zombie.told.at(-1)).toBe("1 stop broken");
  expect(driver.takeBatches()).toEqual([]);
  expect(await driver.act("counter", "increment", 1)).toMatchObject({ output: 3 });
  expect(await driver.act("counter", "rows")).toMatchObject({ output: [2, 1] });
  expect(real.client.size).toBe(1);
});

test("S3.7 one executor for each activation, made by its first statement; who waits for its end shares one wait, armed before the count is read", async () => {
  const world = new World();
  let opened = 0;
  const result = { columns: [], rows: [], changes: 0, lastInsertRowId: 0n };
  const openSql = () => {
    opened += 1;
    return {
      ...{ execute: () => result, batch: () => [], series: () => {} },
      savepoint: () => ({ release: () => {}, rollback: () => {} }),
    };
  };
  const generation = () => new CarriedSql(sqlOwner({ world, openSql }), {});
  const [first, second] = [generation(), generation()];
  expect(opened).toBe(0);
  const statement = { sql: "SELECT 1", params: encodeBindParams([]), transaction: 0 };
  for (let round = 0; round < 3; round += 1) await first.execute(statement);
  expect(opened).toBe(1);
  await second.execute(statement);
  expect(opened).toBe(2);
  const workers = new SqlWorkers(world);
  const share = workers.share();
  const held = Promise.withResolvers<void>();
  const running = share.run(() => held.promise);
  const timers = () => world.pendingTimers;
  const before = timers();
  const stops = Array.from({ length: 1_000 }, () => watch(share.stop()));
  await world.idle();
  expect(timers() - before).toBe(1);
  held.resolve();
  await running;
  await world.idle();
  expect(new Set(stops.map(({ state }) => state))).toEqual(new Set(["resolved"]));
  expect(timers()).toBe(before);
});

function codeIn(error: Parameters<typeof fromCarriedError>[0] | undefined): string {
  if (error === undefined) return "";
  const { group, code } = fromCarriedError(error, "cbor");
  return `${group}.${code}`;
}
