/** `troupe doctor DATA --give-up ID`: an actor whose file is lost ends, because somebody says so, and no other does. */
import { readdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import { actor, db, setup } from "@troupe/runtime";
import { expect, test } from "vitest";
import { Troupe } from "../support/troupe.ts";

const notes = actor({
  state: { added: 0 },
  db: db({ migrations: ["CREATE TABLE notes (text TEXT)"] }),
  actions: { add: (c) => (c.state.added += 1) },
});
const plain = actor({ state: { count: 0 }, actions: { increment: (c) => (c.state.count += 1) } });

test("one whose file is lost is named, asked for and given up; its address is free, and no other is touched", async () => {
  using troupe = new Troupe();
  const data = join(troupe.path, "data");
  const start = async () => {
    const registry = setup({ use: { notes, plain } });
    await registry.start({ port: 0, dataDir: data, signals: false, banner: false });
    return { registry, client: await registry.client() };
  };
  const first = await start();
  for (const key of ["a", "b"]) await first.client.notes.getOrCreate(key).add();
  await first.client.plain.getOrCreate("a").increment();
  const id = await first.client.notes.get("a").resolve();
  const without = await first.client.plain.get("a").resolve();
  const giveUp = (...args: string[]) => troupe.run("doctor", data, "--give-up", ...args);
  await expect(giveUp(id, "--yes")).rejects.toMatchObject({ group: "storage", code: "locked" });
  await first.registry.stop();

  const file = join(data, "actors", `${id}.db`);
  await expect(giveUp(id, "--yes")).rejects.toMatchObject({
    group: "storage",
    code: "not_lost",
    message: expect.stringContaining(`${id}.db is there`),
  });
  await expect(giveUp(without, "--yes")).rejects.toMatchObject({ code: "not_lost" });
  for (const nobody of ["f".repeat(32), `00${"f".repeat(30)}`, "../../etc"])
    await expect(giveUp(nobody, "--yes")).rejects.toMatchObject({ group: "actor", code: "not_found" });

  // Its log alone may hold all of it.
  renameSync(file, `${file}-wal`);
  await expect(giveUp(id, "--yes")).rejects.toMatchObject({ code: "not_lost" });
  renameSync(`${file}-wal`, join(troupe.path, "away.db"));
  const { out } = await troupe.run("doctor", data);
  expect(out).toContain(`troupe doctor DATA --give-up ${id}`);
  await expect(giveUp(id)).rejects.toMatchObject({
    group: "config",
    code: "not_confirmed",
    message: expect.stringContaining(`notes ["a"] (${id})`),
  });
  troupe.types = "no";
  await expect(giveUp(id)).rejects.toMatchObject({ code: "not_confirmed" });
  expect(troupe.asked.join()).toContain(`were in ${file}`);
  expect((await troupe.run("doctor", data)).failed).toBe(true);
  troupe.types = "yes";
  expect((await giveUp(id)).out).toMatch(/^notes \["a"\] .* is given up/);
  expect((await troupe.run("doctor", data)).out).toContain("Nothing is wrong with the data.");
  await expect(giveUp(id, "--yes")).rejects.toMatchObject({ code: "not_found" });

  const { registry, client } = await start();
  expect([await client.notes.getOrCreate("a").add(), await client.notes.getOrCreate("b").add()]).toEqual([
    1, 2,
  ]);
  expect(await client.notes.get("a").resolve()).not.toBe(id);
  expect(await client.plain.get("a").increment()).toBe(2);
  await registry.stop();
  expect(readdirSync(join(data, "actors")).filter((name) => name.startsWith(id))).toEqual([]);
  await expect(troupe.run("doctor", "--give-up", id)).rejects.toMatchObject({ code: "usage" });
});
