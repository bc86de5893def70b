/** A cart is its history, before and after a crash. */
import { createClient } from "troupe/client";
import { beforeAll, expect, test } from "vitest";
import type { registry } from "../../examples/shopping-cart/actor.ts";
import { Example, needBuild } from "./example.ts";

beforeAll(needBuild, 180_000);

test("every cart that ever was can be shown, also behind kill -9", async () => {
  await using example = await Example.start("shopping-cart");
  await using client = createClient<typeof registry>(example.url);
  const cart = client.cart.getOrCreate(["ann"]);
  const carts = [await cart.show()];
  carts.push(await cart.add("tea", 2, 450), await cart.add("tea", 1, 450), await cart.add("cup", 1, 900));
  carts.push(await cart.remove("tea"), await cart.discount(50));
  await example.kill();
  await example.restart();
  expect(await cart.show()).toEqual(carts.at(-1));
  for (const [number, then] of carts.entries()) expect(await cart.asOf(number)).toEqual(then);
  expect(await cart.checkOut()).toBe(450);
});

test("what isn't allowed hasn't happened; of two who pay at once one pays", async () => {
  await using example = await Example.start("shopping-cart");
  await using client = createClient<typeof registry>(example.url);
  const cart = client.cart.getOrCreate(["ann"]);
  await expect(cart.remove("tea")).rejects.toMatchObject({ code: "not_there" });
  await expect(cart.add("tea", 0, 1)).rejects.toMatchObject({ code: "bad_item" });
  await expect(cart.discount(101)).rejects.toMatchObject({ code: "bad_percent" });
  await cart.add("tea", 1, 100);
  const paid = await Promise.allSettled([cart.checkOut(), cart.checkOut()]);
  expect(paid.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
  expect((await cart.history()).map(({ kind }) => kind)).toEqual(["added", "checked out"]);
});
