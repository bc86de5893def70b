/** A host that is lost in the middle of a call, or of a turn: what would be stored together is there together, or not at all. */
import { limits } from "@troupe/protocol";
import { SqlTurn, type Start } from "@troupe/protocol/actor/v1";
import { actor, db } from "@troupe/runtime";
import { expect, test } from "vitest";
import { GuestStore } from "../../src/guest/guest-store.ts";
import type { ActorSaying } from "../../src/ports/carried.ts";
import { remoteActor } from "../../src/remote/remote-actor.ts";
import { Driver } from "../driver/driver.ts";
import { watch } from "../driver/watch.ts";
import { World } from "../driver/world.ts";
import { startHost } from "./host.ts";

/** Where a call is when its host is lost. */
let place = Promise.withResolvers<void>();

const insert = "INSERT INTO entries VALUES (1)";

const ledger = actor({
  state: { count: 0 },
  db: db({
    onMigrate: async (database) => {
      await database.execute("CREATE TABLE IF NOT EXISTS entries (amount INTEGER)");
    },
  }),
  actions: {
    transaction: async (c) => {
      c.state.count += 1;
      await c.db.transaction(async (tx) => {
        await tx.execute(insert);
        c.state.count += 1;
        await place.promise;
      });
    },
    byHand: async (c) => {
      c.state.count += 1;
      await c.db.execute("BEGIN");
      await c.db.execute(insert);
      c.state.count += 1;
      await place.promise;
      await c.db.execute("COMMIT");
    },
    sums: async (c) => {
      const [row] = await c.db.execute<{ rows: number }>("SELECT count(*) AS rows FROM entries");
      return { count: c.state.count, rows: row?.rows };
    },
  },
});

test.each(["transaction", "byHand"])(
  "`%s`: of a call whose host is lost in its transaction nothing is stored, and its key runs it anew",
  async (name) => {
    place = Promise.withResolvers();
    const use = { ledger: remoteActor<typeof ledger>({ database: true }) };
    await using driver = await Driver.start(use, { databases: true, hostToken: "secret" });
    const { world } = driver;
    const hosts = () => driver.runtime.hosts;
    const host = () => startHost({ world, hosts, use: { ledger } });
    const first = host();
    await world.idle();
    const handle = driver.client().getOrCreate("ledger", "a");
    const action = { name, args: [], idempotencyKey: "key-1" };
    const call = watch(handle.action(action));
    await world.idle();
    first.client.close();
    await world.pass(limits.hostResumeMs * 2);
    expect(call.code).toBe("host.lost");
    host();
    await world.idle();
    expect(await driver.act("ledger?key=a", "sums")).toMatchObject({ output: { count: 0, rows: 0 } });
    place.resolve();
    await handle.action(action);
    expect(await driver.act("ledger?key=a", "sums")).toMatchObject({ output: { count: 2, rows: 1 } });
  },
);

const start: Start = {
  ...{ name: "ledger", actor: "ledger", key: ["a"], actorId: "1", generation: 1, createdAt: 0, isNew: false },
  ...{ input: new Uint8Array(0), rows: [], moreRows: false },
};

test("a statement of a turn that has written doesn't wait for the batch behind the one that its writes are put into", async () => {
  const world = new World();
  const said: ActorSaying[] = [];
  const store = new GuestStore({
    env: world,
    start,
    send: (saying) => void said.push(saying),
  });
  const sql = store.sql(() => {});
  const turns = () =>
    said.flatMap(({ $case, value }) =>
      $case === "ask" && value.about?.$case === "sqlExecute" ? [value.about.value.turn] : [],
    );
  void sql.execute(insert, []);
  await world.idle();
  store.commit({ take: () => ({ rows: [] }), settled: () => {} });
  void sql.execute(insert, []);
  await world.idle();
  void sql.execute(insert, []);
  await world.idle();
  expect(turns()).toEqual([SqlTurn.HELD, SqlTurn.CONTINUED, SqlTurn.HELD]);
});
