/** Places two orders: one is paid in two parts, nobody pays for the other. */
import { createClient } from "troupe/client";
import type { registry } from "./actor.ts";

await using client = createClient<typeof registry>(process.argv[2] ?? "http://127.0.0.1:6420");

/** Places an order, pays what there is, and shows what becomes of it. */
async function place(name: string, payWithinMs: number, payments: readonly number[]): Promise<void> {
  const order = client.orders.getOrCreate([name]).connect();
  const changes = order.events("changed");
  await order.look();
  await order.send("placed", { price: 100, payWithinMs });
  for (const amount of payments) await order.send("payments", { amount });
  for await (const [change] of changes) {
    console.log(`${name}: ${change}`);
    if (change === "shipped" || change === "cancelled") break;
  }
  const { paid, story } = await order.look();
  console.log(`${name}: ${paid} paid; ${story.join(", ")}`);
}

await place("desk", 60_000, [40, 60]);
await place("lamp", 1_500, [30]);
