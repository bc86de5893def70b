/** Ranks, and a season that ends as one. */
import { createClient } from "troupe/client";
import { beforeAll, expect, test } from "vitest";
import type { registry } from "../../examples/leaderboard/actor.ts";
import { Example, needBuild } from "./example.ts";

beforeAll(needBuild, 180_000);

test("the best score counts, who was first is in front, and the board survives kill -9", async () => {
  await using example = await Example.start("leaderboard");
  await using client = createClient<typeof registry>(example.url);
  const board = client.leaderboard.getOrCreate(["pinball"]);
  expect(await board.submit("Ann", 300)).toBe(1);
  expect(await board.submit("Bo", 300)).toBe(2);
  expect(await board.submit("Ann", 100)).toBe(1);
  await expect(board.submit("Cy", 1.5)).rejects.toMatchObject({ code: "bad_score" });
  await example.kill();
  await example.restart();
  expect(await board.top()).toEqual([
    { rank: 1, player: "Ann", score: 300 },
    { rank: 2, player: "Bo", score: 300 },
  ]);
});

test("a season ends: a champion, an empty board, and everybody sees it", async () => {
  await using example = await Example.start("leaderboard");
  await using client = createClient<typeof registry>(example.url);
  const board = client.leaderboard.getOrCreate(["pinball"]).connect();
  const tops = board.events("top");
  for (const [player, score] of [
    ["Ann", 1],
    ["Bo", 5],
    ["Cy", 3],
    ["Di", 2],
  ] as const)
    await board.submit(player, score);
  await board.endSeason();
  const sizes: number[] = [];
  for await (const [top] of tops) if (sizes.push(top.length) === 5) break;
  // Ann alone; Bo before her; Cy between; Di, instead of Ann; nobody.
  expect(sizes).toEqual([1, 2, 3, 3, 0]);
  expect(await board.champions()).toEqual([{ season: 1, player: "Bo", score: 5 }]);
  expect(await board.around("Bo")).toEqual([]);
});
