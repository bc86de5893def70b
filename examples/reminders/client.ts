/** Asks for three reminders, thinks better of one, and waits for the others. */
import { createClient } from "troupe/client";
import type { registry } from "./actor.ts";

await using client = createClient<typeof registry>(process.argv[2] ?? "http://127.0.0.1:6420");
const mine = client.reminders.getOrCreate(["ann"]).connect();

const due = mine.events("due");
const now = Date.now();
await mine.remind("take the bread out", now + 1_500);
await mine.remind("put the bread in", now + 1_000);
await mine.forget(await mine.remind("buy bread", now + 60_000));
console.log(
  "to come:",
  (await mine.pending()).map(({ text }) => text),
);

let left = 2;
for await (const [{ text }] of due) {
  console.log(text);
  left -= 1;
  if (left === 0) break;
}
console.log("unread:", await mine.unread());
