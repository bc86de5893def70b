/** Four players, and somebody who watches. */
import { createClient } from "troupe/client";
import type { registry } from "./actor.ts";

await using client = createClient<typeof registry>(process.argv[2] ?? "http://127.0.0.1:6420");
const board = client.leaderboard.getOrCreate(["pinball"]).connect();
board.on("top", (entries) =>
  console.log(entries.map(({ player, score }) => `${player} ${score}`).join(", ")),
);

for (const [player, score] of [
  ["Ann", 300],
  ["Bo", 500],
  ["Cy", 100],
  ["Di", 50],
  ["Cy", 400],
  ["Ann", 200],
] as const) {
  const rank = await board.submit(player, score);
  console.log(`${player} is number ${rank}`);
}
console.log(
  "around Ann:",
  (await board.around("Ann")).map(({ player }) => player),
);
