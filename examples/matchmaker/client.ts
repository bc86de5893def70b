/** Three players come; the two of about the same strength play. */
import { createClient } from "troupe/client";
import type { registry } from "./actor.ts";

await using client = createClient<typeof registry>(process.argv[2] ?? "http://127.0.0.1:6420");
const lobby = client.lobby.getOrCreate(["rock paper scissors"]).connect();
const pairings = lobby.events("paired");

await lobby.send("players", { name: "Ann", rating: 1_200 });
await lobby.send("players", { name: "Bo", rating: 1_900 });
await lobby.send("players", { name: "Cy", rating: 1_250 });

for await (const [{ match, players }] of pairings) {
  console.log(`${players.join(" plays ")}`);
  const table = client.match.get([match]);
  await table.play("Ann", "paper");
  console.log(`${await table.play("Cy", "rock")} wins`);
  break;
}
console.log("waiting:", await lobby.waiting());
