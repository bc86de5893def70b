/** Players who were taken in are matched once, whatever dies. */
import { createClient } from "troupe/client";
import { beforeAll, expect, test } from "vitest";
import type { registry } from "../../examples/matchmaker/actor.ts";
import { Example, needBuild } from "./example.ts";

beforeAll(needBuild, 180_000);

test("who waits still waits after kill -9, and plays whoever comes", async () => {
  await using example = await Example.start("matchmaker");
  await using client = createClient<typeof registry>(example.url);
  const lobby = client.lobby.getOrCreate(["chess"]);
  const connection = lobby.connect();
  const paired = connection.events("paired");
  await connection.ready;
  await lobby.send("players", { name: "Ann", rating: 1_000 });
  await example.kill();
  await example.restart();
  await lobby.send("players", { name: "Bo", rating: 1_500 });
  await lobby.send("players", { name: "Cy", rating: 1_100 });
  const [pairing] = (await paired.next()).value ?? [];
  expect(pairing?.players).toEqual(["Ann", "Cy"]);
  expect(await lobby.waiting()).toEqual(["Bo"]);

  const table = client.match.get([pairing?.match ?? ""]);
  expect(await table.play("Ann", "rock")).toBeUndefined();
  await expect(table.play("Bo", "rock")).rejects.toMatchObject({ code: "not_here" });
  expect(await table.play("Cy", "rock")).toBeUndefined();
});

test("thirty at once are fifteen matches, and nobody plays twice", async () => {
  await using example = await Example.start("matchmaker");
  await using client = createClient<typeof registry>(example.url);
  const lobby = client.lobby.getOrCreate(["chess"]).connect();
  const paired = lobby.events("paired");
  const names = Array.from({ length: 30 }, (_, n) => `p${n}`);
  await Promise.all(names.map((name) => lobby.send("players", { name, rating: 1_000 })));
  const playing: string[] = [];
  for await (const [{ players }] of paired) if (playing.push(...players) === 30) break;
  expect(playing.sort()).toEqual(names.sort());
  expect(await lobby.waiting()).toEqual([]);
});
