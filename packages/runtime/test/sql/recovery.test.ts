/** What a start does with the files of actors that a killed process left open. */
import { copyFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { actor, db } from "@troupe/runtime";
import { expect, test } from "vitest";
import { Ground } from "./ground.ts";

const notes = actor({
  db: db({ migrations: ["CREATE TABLE notes (text TEXT NOT NULL)"] }),
  state: {},
  actions: {
    add: (c, text: string) => c.db.execute("INSERT INTO notes VALUES (?)", text).then(() => {}),
    later: (c, afterMs: number) => c.schedule.after(afterMs, "add", "scheduled").then(() => {}),
    read: async (c) =>
      (await c.db.execute<{ text: string }>("SELECT text FROM notes")).map(({ text }) => text),
  },
});

const logs = (ground: { readonly files: readonly string[] }) =>
  ground.files.filter((name) => name.endsWith("-wal"));

test("a start behind a kill opens no file for good: each is as it was left until its actor wakes", async () => {
  await using ground = await Ground.start({ notes });
  const keys = ["a", "b", "c"];
  for (const key of keys) await ground.client.notes.getOrCreate([key]).add(key);
  await ground.kill();
  expect(logs(ground)).toHaveLength(3);
  expect(await ground.client.notes.getOrCreate(["b"]).read()).toEqual(["b"]);
  await ground.restart();
  // The one that was awake was closed; the others wait for their actors, also over a clean end.
  expect(logs(ground)).toHaveLength(2);
  for (const key of keys) expect(await ground.client.notes.getOrCreate([key]).read()).toEqual([key]);
  await ground.restart();
  expect(logs(ground)).toHaveLength(0);
  expect(ground.said).toEqual([]);
});

test("an index that is behind knows each alarm before anybody is served, and the actor is woken for it", async () => {
  await using ground = await Ground.start({ notes });
  await ground.client.notes.getOrCreate(["a"]).add("one");
  const shard = ["shard-00.db", "shard-00.db-wal"];
  for (const name of shard) copyFileSync(join(ground.path, name), join(ground.path, `${name}.before`));
  await ground.client.notes.getOrCreate(["a"]).later(3_600_000);
  const [alarm] = await ground.store.storage.dueAlarms(Number.MAX_SAFE_INTEGER, 1);
  await ground.kill(() => {
    for (const name of shard) copyFileSync(join(ground.path, `${name}.before`), join(ground.path, name));
  });
  expect(await ground.store.storage.nextAlarm()).toEqual(alarm);
  expect(alarm?.actorId).toBe(await ground.client.notes.getOrCreate(["a"]).resolve());
});

test("a shard that can't be read is said to be damaged, and no actor's file with it; none is deleted", async () => {
  await using ground = await Ground.start({ notes });
  for (const key of ["a", "b", "c"]) await ground.client.notes.getOrCreate([key]).add(key);
  await ground.kill(() => {
    writeFileSync(join(ground.path, "shard-00.db"), "not a database at all");
  });
  expect(ground.said.filter((line) => line.includes("damaged"))).toEqual([
    "a shard is damaged and was set aside; its actors can't be called",
  ]);
  expect(logs(ground)).toHaveLength(3);
  expect(ground.files.filter((name) => name.endsWith(".db"))).toHaveLength(3);
  await expect(ground.client.notes.getOrCreate(["a"]).read()).rejects.toMatchObject({ code: "corrupt" });
});
