/** Actors' own files that are taken away: what is missing is never taken for what never was. */
import { readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { actor, db } from "@troupe/runtime";
import { expect, test } from "vitest";
import { Ground } from "./ground.ts";

const notes = actor({
  db: db({ migrations: ["CREATE TABLE notes (text TEXT NOT NULL)"] }),
  state: { added: 0 },
  actions: {
    add: async (c, text: string) => {
      c.state.added += 1;
      await c.db.execute("INSERT INTO notes VALUES (?)", text);
      return c.state.added;
    },
    read: async (c): Promise<unknown> => [
      c.state.added,
      ...(await c.db.execute<{ text: string }>("SELECT text FROM notes")).map(({ text }) => text),
    ],
    end: (c) => c.destroy(),
  },
});

const missing = expect.objectContaining({ group: "storage", code: "corrupt", retryable: false });

test("a folder of own files that isn't there is said at the start, and at every call; back again, all is as it was", async () => {
  await using ground = await Ground.start({ notes });
  const a = () => ground.client.notes.getOrCreate(["a"]);
  await a().add("one");
  const id = await a().resolve();
  const away = `${ground.path}-actors`;
  await ground.restartAfter(() => renameSync(join(ground.path, "actors"), away));
  expect(ground.store.failure()).toBe("storage.corrupt");
  await expect(a().read()).rejects.toEqual(missing);
  await expect(ground.client.notes.get(["a"]).read()).rejects.toEqual(missing);
  await expect(ground.client.notes.create(["a"])).rejects.toMatchObject({ code: "duplicate_key" });
  await expect(a().add("two")).rejects.toEqual(missing);
  // Others are made, and live.
  expect(await ground.client.notes.getOrCreate(["b"]).add("b")).toBe(1);
  await ground.restartAfter(() => {
    for (const name of readdirSync(away)) renameSync(join(away, name), join(ground.path, "actors", name));
  });
  expect(ground.store.failure()).toBeUndefined();
  expect([await a().resolve(), await a().read()]).toEqual([id, [1, "one"]]);
  expect(await ground.client.notes.getOrCreate(["b"]).read()).toEqual([1, "b"]);
});

test("one file that is taken away is its actor's matter alone, also behind a kill, and serves as soon as it is back", async () => {
  await using ground = await Ground.start({ notes });
  for (const key of ["a", "b"]) await ground.client.notes.getOrCreate([key]).add(key);
  const id = await ground.client.notes.getOrCreate(["a"]).resolve();
  await ground.restart();
  await ground.client.notes.getOrCreate(["b"]).add("more");
  const file = () => join(ground.path, "actors", `${id}.db`);
  await ground.kill(() => renameSync(file(), `${file()}.away`));
  await expect(ground.client.notes.getOrCreate(["a"]).read()).rejects.toEqual(missing);
  expect(ground.store.failure()).toBe("storage.corrupt");
  expect(await ground.client.notes.getOrCreate(["b"]).read()).toEqual([2, "b", "more"]);
  renameSync(`${file()}.away`, file());
  // Whoever watches the process hears of it without a call, or a restart.
  expect(ground.store.failure()).toBeUndefined();
  expect(await ground.client.notes.getOrCreate(["a"]).read()).toEqual([1, "a"]);
  expect(ground.said).toContain("the files that were missing are back");
});

test("a folder whose files come back one by one is whole with the last one, and not before, while it serves", async () => {
  await using ground = await Ground.start({ notes });
  const keys = ["a", "b", "c"];
  for (const key of keys) await ground.client.notes.getOrCreate([key]).add(key);
  const away = `${ground.path}-actors`;
  await ground.restartAfter(() => renameSync(join(ground.path, "actors"), away));
  for (const name of readdirSync(away).filter((found) => found.startsWith("00"))) {
    expect(ground.store.failure()).toBe("storage.corrupt");
    renameSync(join(away, name), join(ground.path, "actors", name));
  }
  expect(ground.store.failure()).toBeUndefined();
  for (const key of keys) expect(await ground.client.notes.getOrCreate([key]).read()).toEqual([1, key]);
});

test("what is back and damaged is found by the call to it, and stays said", async () => {
  await using ground = await Ground.start({ notes });
  await ground.client.notes.getOrCreate(["a"]).add("one");
  const id = await ground.client.notes.getOrCreate(["a"]).resolve();
  const file = join(ground.path, "actors", `${id}.db`);
  await ground.restartAfter(() => rmSync(file));
  await expect(ground.client.notes.getOrCreate(["a"]).read()).rejects.toEqual(missing);
  writeFileSync(file, "not a database ".repeat(1_000));
  expect(ground.store.failure()).toBeUndefined();
  await expect(ground.client.notes.getOrCreate(["a"]).read()).rejects.toEqual(missing);
  rmSync(file);
  expect(ground.store.failure()).toBe("storage.corrupt");
});

test("a file that goes without its log, or comes back without it, is told as well", async () => {
  await using ground = await Ground.start({ notes });
  await ground.client.notes.getOrCreate(["a"]).add("one");
  // The file itself is still as it was made: all that was stored is in the log.
  await ground.kill(() => {
    const folder = join(ground.path, "actors");
    for (const name of readdirSync(folder)) if (/-(?:wal|shm)$/.test(name)) rmSync(join(folder, name));
  });
  await expect(ground.client.notes.getOrCreate(["a"]).read()).rejects.toEqual(missing);
});

test("an actor whose definition lost its database, too, isn't made anew in the place of its file", async () => {
  await using ground = await Ground.start({ notes });
  await ground.client.notes.getOrCreate(["a"]).add("one");
  await ground.restartAfter(() => rmSync(join(ground.path, "actors"), { recursive: true }));
  await ground.restart({ notes: actor({ state: {}, actions: { read: () => [] } }) });
  await expect(ground.client.notes.getOrCreate(["a"]).read()).rejects.toMatchObject({
    code: "database_lost",
  });
});

test("a folder that is empty because its last actor was destroyed is in order", async () => {
  await using ground = await Ground.start({ notes });
  await ground.client.notes.getOrCreate(["a"]).add("one");
  await ground.client.notes.getOrCreate(["a"]).end();
  await expect.poll(() => ground.files).toEqual([]);
  await ground.restart();
  expect(ground.store.failure()).toBeUndefined();
  expect(await ground.client.notes.getOrCreate(["a"]).read()).toEqual([0]);
});
