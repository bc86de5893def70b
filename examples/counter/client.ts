/** Counts with everybody else who runs this: one for each line, and every change is shown as it comes. */
import { createInterface } from "node:readline";
import { createClient } from "troupe/client";
import type { registry } from "./actor.ts";

const client = createClient<typeof registry>(process.argv[2] ?? "http://127.0.0.1:6420");
const counter = client.counter.getOrCreate(["visits"]).connect();

counter.on("changed", (count) => console.log(`The counter is at ${count}`));
counter.onStatusChange((status) => {
  if (status === "disconnected") console.log("The server is away; this waits for it");
});
console.log(`The counter is at ${await counter.read()}. Enter counts; Ctrl+D ends.`);

for await (const line of createInterface({ input: process.stdin })) {
  await counter.increment(Number(line) || 1);
}
await client.dispose();
