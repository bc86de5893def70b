/** Tells the agent something, and asks what it knows. */
import { createClient } from "troupe/client";
import type { registry } from "./actor.ts";

await using client = createClient<typeof registry>(process.argv[2] ?? "http://127.0.0.1:6420");
const agent = client.agent.getOrCreate(["ann"]);

for (const question of ["Remember that I like tea.", "What do you know of me?"]) {
  console.log(`> ${question}`);
  for await (const words of agent.ask(question)) process.stdout.write(words);
  console.log();
}
