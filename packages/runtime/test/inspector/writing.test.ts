/** What the inspector changes where it may, and that it may not by default. */
import { actor, db } from "@troupe/runtime";
import { expect, test } from "vitest";
import { LocalInstance } from "../../src/actor/local/local-instance.ts";
import { RecordedInstance } from "../../src/inspector/recorded-instance.ts";
import { carried } from "../driver/carried.ts";
import { Driver } from "../driver/driver.ts";
import { Latch } from "../driver/watch.ts";
import { inspected, look } from "./ground.ts";

const changes: number[] = [];
const counter = actor({
  state: { count: 0 } as { count: number; note?: string },
  onStateChange: (_c, state) => void changes.push(state.count),
  actions: {
    increment: (c, by = 1) => {
      c.state.count += by;
      return c.state.count;
    },
    later: (c) => c.schedule.after(60_000, "increment", 5),
  },
});

const held = new Latch();
const table = actor({
  db: db({
    onMigrate: async (client) => {
      await client.execute("CREATE TABLE IF NOT EXISTS notes (id INTEGER PRIMARY KEY, text TEXT)");
    },
  }),
  actions: {
    add: (c, text: string) => c.db.execute("INSERT INTO notes (text) VALUES (?)", text).then(() => "added"),
    hold: (c) => {
      const open = c.db.transaction(async (tx) => {
        await tx.execute("INSERT INTO notes (text) VALUES ('undone')");
        await held.promise;
        throw new Error("undone");
      });
      c.waitUntil(open.catch(() => undefined));
    },
  },
});

async function idOf(
  driver: { http: (m: string, u: string, b: unknown) => Promise<{ actorId?: string }> },
  name: string,
) {
  return (await driver.http("POST", `/actor/${name}/resolve?key=a`, {})).actorId ?? "";
}

test("without `write` everything that changes is refused, and changes nothing", async () => {
  await using driver = await inspected({ counter });
  const id = await idOf(driver, "counter");
  await driver.act("counter?key=a", "increment");
  for (const verb of [
    "action/increment",
    "state",
    "schedules/x/fire",
    "schedules/x/cancel",
    "wake",
    "sleep",
    "destroy",
  ])
    expect([verb, (await look(driver, `/actors/${id}/${verb}`, {})).code]).toEqual([
      verb,
      "inspector.read_only",
    ]);
  expect((await look(driver, `/actors/${id}/sql`, { sql: "SELECT 1", write: true })).code).toBe(
    "inspector.read_only",
  );
  expect((await driver.act("counter?key=a", "increment")).output).toBe(2);
});

test("an edit of the state goes the actor's own way, and is on disk when it is answered", async () => {
  await using driver = await inspected({ counter }, { write: true });
  const id = await idOf(driver, "counter");
  await driver.act("counter?key=a", "increment");
  const edited = await look(driver, `/actors/${id}/state`, { set: { count: 41, note: "by hand" } });
  expect(edited.status).toBe(200);
  expect(changes.at(-1)).toBe(41);
  expect((await driver.act("counter?key=a", "increment")).output).toBe(42);
  await look(driver, `/actors/${id}/state`, { remove: ["note"] });
  await driver.crash();
  expect((await look(driver, `/actors/${id}/state`)).body.state).toEqual({ count: 42 });
});

test("an action can be called, a schedule run now or cancelled, an actor put to sleep and destroyed", async () => {
  await using driver = await inspected({ counter }, { write: true });
  const id = await idOf(driver, "counter");
  expect((await look(driver, `/actors/${id}/action/increment`, { args: [3] })).body).toEqual({ output: 3 });
  expect((await look(driver, `/actors/${id}/action/missing`, {})).code).toBe("actor.action_not_found");

  const first = (await driver.act("counter?key=a", "later")).output;
  const second = (await driver.act("counter?key=a", "later")).output;
  expect((await look(driver, `/actors/${id}/schedules/${second}/cancel`, {})).body).toEqual({
    cancelled: true,
  });
  expect((await look(driver, `/actors/${id}/schedules/${second}/cancel`, {})).body).toEqual({
    cancelled: false,
  });
  await look(driver, `/actors/${id}/schedules/${first}/fire`, {});
  await driver.world.pass(1);
  expect((await look(driver, `/actors/${id}/schedules`)).body).toEqual({ schedules: [] });
  expect((await look(driver, `/actors/${id}/state`)).body.state.count).toBe(8);

  await look(driver, `/actors/${id}/sleep`, {});
  expect((await look(driver, `/actors/${id}`)).body.phase).toBe("asleep");
  await look(driver, `/actors/${id}/wake`, {});
  expect((await look(driver, `/actors/${id}`)).body.phase).toBe("running");
  await look(driver, `/actors/${id}/destroy`, {});
  expect((await look(driver, `/actors/${id}`)).code).toBe("actor.not_found");
});

test("a database is read, awake and asleep, and written to only when that is said", async () => {
  await using driver = await inspected({ table }, { write: true, databases: true });
  const id = await idOf(driver, "table");
  for (const text of ["one", "two", "three"]) await driver.act("table?key=a", "add", text);
  const everything = async () => ({
    schema: (await look(driver, `/actors/${id}/schema`)).body,
    page: (await look(driver, `/actors/${id}/tables/notes?limit=2`)).body,
    rest: (await look(driver, `/actors/${id}/tables/notes?limit=2&after=2`)).body,
    asked: (await look(driver, `/actors/${id}/sql`, { sql: "SELECT count(*) AS n FROM notes" })).body,
  });
  const awake = await everything();
  expect(awake.schema.schema).toMatchObject([{ type: "table", name: "notes" }]);
  expect(awake.page).toEqual({
    columns: ["id", "text"],
    rows: [
      [1, "one"],
      [2, "two"],
    ],
    next: "2",
  });
  expect(awake.rest.rows).toEqual([[3, "three"]]);
  expect(awake.asked).toMatchObject({ columns: ["n"], rows: [[3]] });

  for (const sql of [
    "DELETE FROM notes",
    "DROP TABLE notes",
    "SELECT 1; DELETE FROM notes",
    "SELECT * FROM _troupe_rows",
  ])
    expect((await look(driver, `/actors/${id}/sql`, { sql })).status).not.toBe(200);
  expect((await look(driver, `/actors/${id}/sql`, { sql: "DELETE FROM notes" })).code).toBe(
    "inspector.read_only",
  );
  const failed = await look(driver, `/actors/${id}/sql`, { sql: "SELECT * nothing" });
  expect(failed.body.error).toMatchObject({ code: "failed", message: 'near "nothing": syntax error' });
  expect(await everything()).toEqual(awake);
  await driver.runtime.host.sleep(id);
  expect(await everything()).toEqual(awake);
  expect(driver.runtime.host.size).toBe(0);

  const deleted = await look(driver, `/actors/${id}/sql`, {
    sql: "DELETE FROM notes WHERE id = ?",
    params: [1],
    write: true,
  });
  expect(deleted.body).toMatchObject({ changes: 1 });
  expect((await look(driver, `/actors/${id}/tables/notes`)).body.rows).toHaveLength(2);
});

test("what a transaction has written and may yet undo is shown to nobody", async () => {
  await using driver = await inspected({ table }, { databases: true });
  const id = await idOf(driver, "table");
  await driver.act("table?key=a", "add", "one");
  void driver.act("table?key=a", "hold");
  await driver.world.idle();
  expect((await look(driver, `/actors/${id}/tables/notes`)).code).toBe("inspector.transaction_open");
  held.open();
  await driver.world.idle();
  expect((await look(driver, `/actors/${id}/tables/notes`)).body.rows).toEqual([[1, "one"]]);
});

test("an actor whose code is elsewhere is read like any other, called and ended, but not edited", async () => {
  await using driver = await inspected(carried({ counter }), { write: true });
  const id = await idOf(driver, "counter");
  expect((await look(driver, `/actors/${id}/action/increment`, { args: [2] })).body).toEqual({ output: 2 });
  const second = (await driver.act("counter?key=a", "later")).output;
  for (const [verb, body] of [
    ["state", { set: { count: 7 } }],
    [`schedules/${second}/cancel`, {}],
    [`schedules/${second}/fire`, {}],
    ["sql", { sql: "SELECT 1", write: true }],
  ] as const)
    expect((await look(driver, `/actors/${id}/${verb}`, body)).code).toBe("inspector.not_supported");
  expect((await look(driver, `/actors/${id}/schedules`)).body.schedules).toHaveLength(1);
  expect((await look(driver, `/actors/${id}/state`)).body.state.count).toBe(2);
  await look(driver, `/actors/${id}/destroy`, {});
  expect((await look(driver, `/actors/${id}`)).code).toBe("actor.not_found");
});

test("without an inspector nothing stands before an actor", async () => {
  await using plain = await Driver.start({ counter });
  const id = await idOf(plain, "counter");
  expect(plain.runtime.host.instance(id)).toBeInstanceOf(LocalInstance);
  await using seen = await inspected({ counter });
  const other = await idOf(seen, "counter");
  expect(seen.runtime.host.instance(other)).toBeInstanceOf(RecordedInstance);
});

test("`wake` says what keeps an actor from starting, where the log has it, and callers get the id alone", async () => {
  let broken = false;
  const note = actor({
    onWake: () => {
      if (broken)
        throw new Error("no price list", { cause: new Error("postgres://shop:hunter2@prices is gone") });
    },
    actions: { all: () => [] },
  });
  await using driver = await inspected({ note }, { write: true });
  const id = await idOf(driver, "note");
  await driver.runtime.host.sleep(id);
  broken = true;
  const [caller, again] = [await driver.act("note?key=a", "all"), await driver.act("note?key=a", "all")];
  const [line, ...more] = driver.world.logged("error", "an actor failed to start");
  expect([line?.fields, more]).toMatchObject([{ actor: "note", key: ["a"], actorId: id }, []]);
  const logId = line?.fields["id"];
  for (const { error } of [caller, again])
    expect(error).toEqual({
      ...{ group: "actor", code: "start_failed", message: 'Actor "note" failed to start', retryable: false },
      metadata: { id: logId },
    });
  const why = "no price list: postgres://[REDACTED]@prices is gone";
  const woken = (await look(driver, `/actors/${id}/wake`, {})).body.error;
  expect(woken).toMatchObject({ code: "start_failed", metadata: { id: logId, actorId: id } });
  for (const part of [why, "note/a ", logId]) expect(woken.message).toContain(part);
  expect(driver.world.logged("error", "a call failed")).toEqual([]);
  const shown = async () => (await look(driver, `/actors/${id}`)).body.lastError;
  const failed = { code: "Error", id: logId, at: expect.any(Number) };
  expect(await shown()).toEqual({ ...failed, message: why });
  await driver.world.pass(60_000);
  await driver.act("note?key=a", "all");
  const lines = driver.world.logged("error", "an actor failed to start");
  expect(lines.map(({ fields }) => fields["more"])).toEqual([undefined, 2]);
});

test("who may only look isn't told what an error says", async () => {
  let fail = false;
  const sleeper = actor({
    onWake: () => {
      if (fail) throw new TypeError("a secret");
    },
    actions: { one: () => 1 },
  });
  await using driver = await inspected({ sleeper });
  const id = await idOf(driver, "sleeper");
  await driver.runtime.host.sleep(id);
  fail = true;
  await driver.act("sleeper?key=a", "one");
  const { lastError } = (await look(driver, `/actors/${id}`)).body;
  expect(lastError).toEqual({ code: "TypeError", id: expect.any(String), at: expect.any(Number) });
});
