/** `db({ migrations })`: each once and in order, as one; what was applied can't change. */
import { actor, type DatabaseOptions, db } from "@troupe/runtime";
import { expect, test } from "vitest";
import { codeOf } from "../driver/watch.ts";
import { Ground } from "./ground.ts";

const create = { name: "create", sql: "CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT)" };
const first = { name: "first", sql: "INSERT INTO notes (text) VALUES ('from a migration'); -- kept" };
const tags = "ALTER TABLE notes ADD COLUMN tag TEXT; CREATE INDEX by_tag ON notes (tag)";

const notesWith = (options: DatabaseOptions) =>
  actor({
    db: db(options),
    actions: {
      all: (c) => c.db.execute("SELECT * FROM notes"),
      applied: (c) => c.db.execute("SELECT number, name FROM troupe_migrations"),
    },
  });

/** Codes of an error and of its causes: behind a carrier the start's own error is around it. */
function codesOf(error: unknown): string[] {
  return error instanceof Error ? [codeOf(error), ...codesOf(error.cause)] : [];
}

test("each is applied once, in order, before onMigrate", async () => {
  const seen: unknown[] = [];
  const onMigrate: DatabaseOptions["onMigrate"] = async (tx) => {
    seen.push((await tx.execute("SELECT count(*) AS n FROM notes"))[0]);
  };
  await using ground = await Ground.start({ notes: notesWith({ migrations: [create, first], onMigrate }) });
  const actor = () => ground.client.notes.getOrCreate(["a"]);
  expect(await actor().all()).toEqual([{ id: 1, text: "from a migration" }]);
  await ground.kill();
  expect(await actor().all()).toHaveLength(1);
  await ground.restart({ notes: notesWith({ migrations: [create, first, tags], onMigrate }) });
  expect(await actor().all()).toEqual([{ id: 1, text: "from a migration", tag: null }]);
  expect(await actor().applied()).toEqual([
    { number: 1, name: "create" },
    { number: 2, name: "first" },
    { number: 3, name: "3" },
  ]);
  expect(seen).toEqual([{ n: 1 }, { n: 1 }, { n: 1 }]);
});

test("a failed one leaves nothing of those before it", async () => {
  const broken = notesWith({ migrations: [create, first, "ALTER TABLE nothing ADD COLUMN x"] });
  await using ground = await Ground.start({ notes: broken });
  await expect(ground.client.notes.getOrCreate(["a"]).all()).rejects.toMatchObject({
    code: "start_failed",
    metadata: { id: expect.any(String) },
    cause: { message: expect.stringMatching(/^Migration 3 of 3 \("3"\) failed: ./) },
  });
  await ground.restart({ notes: notesWith({ migrations: [create] }) });
  expect(await ground.client.notes.getOrCreate(["a"]).all()).toEqual([]);
});

test("one that has changed, another order, and a newer database are refused; nothing is touched", async () => {
  const whole = notesWith({ migrations: [create, first, tags] });
  await using ground = await Ground.start({ notes: whole });
  const actor = () => ground.client.notes.getOrCreate(["a"]);
  await actor().all();
  const refusedWith = async (migrations: DatabaseOptions["migrations"], code: string) => {
    await ground.restart({ notes: notesWith({ migrations: migrations ?? [] }) });
    expect(
      await actor()
        .all()
        .then(() => [], codesOf),
    ).toContain(`sql.${code}`);
  };
  await refusedWith([create, { ...first, sql: `${first.sql} ` }, tags], "migration_changed");
  await refusedWith([create, { ...first, name: "renamed" }, tags], "migration_changed");
  await refusedWith([first, create, tags], "migration_changed");
  await refusedWith([create, first], "database_newer");
  await ground.restart({ notes: whole });
  expect(await actor().all()).toHaveLength(1);
});

test("what isn't a list of migrations with names of their own is refused when it is defined", () => {
  for (const migrations of [
    "sql",
    [1],
    [""],
    [{ name: "a" }],
    [create, create],
    [{ name: "2", sql: "x" }, "y"],
  ]) {
    expect(() => Reflect.apply(db, undefined, [{ migrations }])).toThrow(/migrations/);
  }
});
