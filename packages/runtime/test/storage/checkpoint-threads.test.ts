import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { CheckpointThreads } from "../../src/node/sqlite/own/checkpoint-threads.ts";
import { openDatabase } from "../../src/node/sqlite/sqlite.ts";
import { temporaryDirectory } from "./test-env.ts";

test("many files are closed at once, each by the thread that has it open; one that can't be is nobody else's matter", async () => {
  using directory = temporaryDirectory();
  const threads = new CheckpointThreads();
  const paths = Array.from({ length: 60 }, (_, index) => join(directory.path, `${index}.db`));
  const writers = paths.map((path) => {
    const database = openDatabase(path);
    database.exec("PRAGMA journal_mode = WAL; CREATE TABLE t (x); INSERT INTO t VALUES (1)");
    return database;
  });
  const broken = join(directory.path, "broken.db");
  writeFileSync(broken, "no database, but as long as the head of one has to be to be looked at: ".repeat(3));
  const refused = expect(threads.run(broken, "passive")).rejects.toThrow("not a database");
  const passed = await Promise.all(paths.map((path) => threads.run(path, "passive")));
  expect(passed.every(({ frames, checkpointed }) => frames > 0 && frames === checkpointed)).toBe(true);
  await refused;
  for (const writer of writers) writer.close();
  // The threads' connections are the last ones: with them the logs go.
  expect(paths.every((path) => existsSync(`${path}-wal`))).toBe(true);
  await Promise.all(paths.map((path) => threads.run(path, "close")));
  expect(paths.some((path) => existsSync(`${path}-wal`))).toBe(false);
  await threads.stop();
  await expect(threads.run(broken, "close")).rejects.toThrow("ended");
});
