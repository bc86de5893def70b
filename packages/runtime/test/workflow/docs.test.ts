/** What docs/workflows.md shows does what the page says. */
import { actor, Loop, queue, workflow } from "@troupe/runtime";
import { expect, test } from "vitest";
import { actorOfPage } from "../docs/snippet.ts";
import { Driver } from "../driver/driver.ts";
import { watch } from "../driver/watch.ts";

test("docs/workflows.md: an order that is paid in parts, and shipped a day later", async () => {
  const order = actorOfPage("workflows.md", "order", { actor, Loop, queue, workflow });
  await using driver = await Driver.start({ order });
  await driver.act("order", "status");
  await driver.world.pass(10);
  expect((await driver.act("order", "status")).output).toBe("reserved");
  for (const amount of [60, 70])
    await driver.http("POST", "/actor/order/queue/payments", { body: { amount } });
  await driver.crash();
  await driver.world.pass(24 * 3_600_000 + 10);
  expect((await driver.act("order", "status")).output).toBe("reserved");
  await driver.world.pass(200);
  expect((await driver.act("order", "status")).output).toBe("shipped");
  expect((await driver.act("order", "workflow")).output).toMatchObject({ output: "parcel for 130" });
});

test("docs/workflows.md: workflows by name, with ids from outside", async () => {
  const shop = actorOfPage("workflows.md", "shop", { actor, workflow });
  await using driver = await Driver.start({ shop });
  await driver.act("shop", "sell", "no. 1", "tea");
  await driver.act("shop", "sell", "no. 1", "tea");
  const receipt = watch(driver.act("shop", "receipt", "no. 1"));
  await driver.world.pass(1_100);
  expect(receipt.value?.output).toBe("tea: paid 20");
  expect((await driver.act("shop", "sold")).output).toBe(1);
});
