/** Ann watches while Bo comes, points and goes. */
import { createClient } from "troupe/client";
import type { registry } from "./actor.ts";

await using client = createClient<typeof registry>(process.argv[2] ?? "http://127.0.0.1:6420");
const sketch = ["sketch"];

const ann = client.canvas.getOrCreate(sketch, { params: { name: "Ann" } }).connect();
const names = new Map<string, string>();
ann.on("moved", ({ id, name, x, y }) => {
  names.set(id, name);
  console.log(`${name} points at ${x}, ${y}`);
});
const gone = Promise.withResolvers<void>();
ann.on("left", (id) => {
  console.log(`${names.get(id)} has left`);
  gone.resolve();
});
await ann.move(1, 2);

const bo = client.canvas.getOrCreate(sketch, { params: { name: "Bo" } }).connect();
console.log(
  "Bo sees",
  (await bo.cursors()).map(({ name }) => name),
);
await bo.move(30, 40);
await bo.dispose();
await gone.promise;
