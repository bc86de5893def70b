/** An order goes on where it was, however often the process dies. */
import { createClient } from "troupe/client";
import { beforeAll, expect, test } from "vitest";
import type { registry } from "../../examples/order/actor.ts";
import { Example, needBuild } from "./example.ts";

beforeAll(needBuild, 180_000);

test("killed between the reservation and each payment, an order is reserved and shipped once", async () => {
  await using example = await Example.start("order");
  await using client = createClient<typeof registry>(example.url);
  const order = client.orders.getOrCreate(["desk"]);
  await order.send("placed", { price: 100, payWithinMs: 60_000 });
  for (const amount of [40, 60]) {
    await example.kill();
    await example.restart();
    await order.send("payments", { amount });
  }
  await expect.poll(async () => (await order.look()).status).toBe("shipped");
  expect(await order.look()).toEqual({ status: "shipped", paid: 100, story: ["reserved", "shipped"] });
});
