/** A host that is lost in the middle of a call, or of a turn: what would be stored together is there together, or not at all. */
import { limits } from "@troupe/protocol";
import { encodeExecuteResult, SqlTurn, type Start } from "@troupe/protocol/actor/v1";
import { actor, db } from "@troupe/runtime";
import { describe, expect, test } from "vitest";
import { actorErrors } from "../../src/errors.ts";
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

/** An engine with a host that is lost while a call is in its transaction, and the next one. */
async function lostIn(name: "transaction" | "byHand", options: { idempotencyKey?: string }) {
  place = Promise.withResolvers();
  const use = { ledger: remoteActor<typeof ledger>({ database: true }) };
  const driver = await Driver.start(use, { databases: true, hostToken: "secret" });
  const { world } = driver;
  const hosts = () => driver.runtime.hosts;
  const first = startHost({ world, hosts, use: { ledger } });
  await world.idle();
  const handle = driver.client().getOrCreate("ledger", "a");
  const call = watch(handle.action({ name, args: [], ...options }));
  await world.idle();
  first.client.close();
  await world.pass(limits.hostResumeMs * 2);
  startHost({ world, hosts, use: { ledger } });
  await world.idle();
  return { driver, call };
}

const sums = (count: number, rows: number) => ({ output: { count, rows } });

describe.each(["transaction", "byHand"] as const)("a call whose host is lost in its `%s`", (name) => {
  test("leaves nothing of what would be stored with it", async () => {
    const { driver, call } = await lostIn(name, {});
    await using _ = driver;
    expect(call.code).toBe("host.lost");
    expect(await driver.act("ledger?key=a", "sums")).toMatchObject(sums(0, 0));
  });

  test("is sent again under its key, and runs anew", async () => {
    const { driver, call } = await lostIn(name, { idempotencyKey: "key-1" });
    await using _ = driver;
    place.resolve();
    await driver.world.pass(limits.hostResumeMs * 2);
    expect(call.state).toBe("resolved");
    expect(await driver.act("ledger?key=a", "sums")).toMatchObject(sums(2, 1));
  });
});

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

const empty = { error: undefined, rows: [], value: new Uint8Array(0) };

test.each([
  ["whose statement has written", { wrote: true }, false],
  ["that wrote before its statement", {}, true],
])(
  "a turn %s, and which goes on when the actor's last batch was taken, is told as torn",
  async (_name, answered, before) => {
    const world = new World();
    const said: ActorSaying[] = [];
    const store = new GuestStore({ env: world, start, send: (saying) => void said.push(saying) });
    let hasEnded = false;
    const sql = store.sql(() => {
      if (hasEnded) throw actorErrors.stopped("1");
    });
    if (before) store.commit({ take: () => ({ rows: [] }), settled: () => {} });
    const result = sql.execute(insert, []);
    await world.idle();
    const asked = said.flatMap(({ $case, value }) => ($case === "ask" ? [value.ask] : []));
    hasEnded = true;
    const done = encodeExecuteResult({ columns: [], rows: [], changes: 1, lastInsertRowId: 1 });
    store.answered({ ask: asked[0] ?? 0, ...empty, sql: done, ...answered });
    await Promise.all([result, world.idle()]);
    const torn = said.flatMap(({ $case, value }) => ($case === "write" ? [value.torn?.code] : []));
    expect(torn.at(-1)).toBe("stopped");
  },
);
