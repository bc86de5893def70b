/** A statement that holds up the process is named while it does, by a thread, and in the log when it has ended. */
import { mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { limits } from "@troupe/protocol";
import { actor, db } from "@troupe/runtime";
import { expect, test } from "vitest";
import { labelOf, StatementWatch } from "../../src/node/sqlite/own/statement-watch.ts";
import { Driver } from "../driver/driver.ts";
import { World } from "../driver/world.ts";

test("a thread names actor and statement while the JavaScript thread is held up, once; the log says how long", async () => {
  const directory = mkdtempSync(join(tmpdir(), "troupe-watch-"));
  const path = join(directory, "lines");
  const world = new World();
  const watch = new StatementWatch({ log: world.log, fd: openSync(path, "a") });
  const run = (sql: string, work: () => void) => {
    const statement = { sql, label: labelOf(sql) };
    watch.begin("an-actor", statement);
    work();
    watch.end("an-actor", statement);
  };
  const lines = () => readFileSync(path, "utf8").split("\n").filter(Boolean);
  try {
    run("SELECT 'quick'", () => {});
    // Held up until the thread has spoken: nothing else can have written the line.
    run("SELECT 'slow é'", () => {
      const latest = Date.now() + 15_000;
      while (lines().length === 0 && Date.now() < latest);
      const second = Date.now() + limits.sqlSlowMs;
      while (Date.now() < second);
    });
    expect(lines().map((line) => JSON.parse(line))).toEqual([
      expect.objectContaining({ level: "warn", actorId: "an-actor", sql: "SELECT 'slow é'" }),
    ]);
    const said = world.lines.filter(({ message }) => message.includes("held up the process"));
    expect(said).toHaveLength(1);
    expect(Number(said[0]?.fields?.["ms"])).toBeGreaterThanOrEqual(limits.sqlSlowMs);
  } finally {
    await watch.stop();
    rmSync(directory, { recursive: true, force: true });
  }
});

test("an actor's slow statement is in the log with its actor, its text and its time", async () => {
  const slow = actor({
    db: db(),
    actions: {
      count: (c, to: number) =>
        c.db.execute(
          "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) SELECT max(i) FROM n",
          to,
        ),
    },
  });
  await using driver = await Driver.start({ slow }, { databases: true });
  const said = () => driver.world.lines.find(({ message }) => message.includes("held up the process"));
  expect((await driver.act("slow", "count", 10)).status).toBe(200);
  expect(said()).toBeUndefined();
  for (let to = 1_000_000; said() === undefined && to < 2e9; to *= 4) await driver.act("slow", "count", to);
  expect(said()?.fields).toMatchObject({ sql: expect.stringContaining("max(i)") });
  expect(said()?.fields?.["actorId"]).toBeTypeOf("string");
});
