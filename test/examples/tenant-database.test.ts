/** Each tenant has its own rows, and catches up with the program whenever it comes. */
import { actor, setup } from "troupe";
import { createClient } from "troupe/client";
import { db } from "troupe/db";
import { beforeAll, expect, test } from "vitest";
import type { registry } from "../../examples/tenant-database/actor.ts";
import { migrations } from "../../examples/tenant-database/migrations.ts";
import { Example, needBuild } from "./example.ts";

beforeAll(needBuild, 180_000);

test("a tenant of the first release gets the later migrations, and keeps its customers", async () => {
  await using example = await Example.start("tenant-database");
  await example.kill();
  const tenant = actor({
    db: db({ migrations: migrations.slice(0, 1) }),
    actions: { add: (c, name: string) => c.db.execute("INSERT INTO customers VALUES (1, ?, 'a@b.c')", name) },
  });
  const old = setup({ use: { tenant } });
  const { endpoint } = await old.start({ port: 0, dataDir: example.data, banner: false, signals: false });
  await createClient<typeof old>(endpoint).tenant.getOrCreate(["bakery"]).add("Ann");
  await old.stop();

  await example.restart();
  const bakery = createClient<typeof registry>(example.url).tenant.getOrCreate(["bakery"]);
  await bakery.invoice(1, [{ what: "rolls", cents: 480 }]);
  expect(await bakery.debts()).toEqual([{ customer: "Ann", cents: 480 }]);
  await expect(bakery.addCustomer("Another", "a@b.c")).rejects.toMatchObject({ code: "known_customer" });
});

test("an invoice is all its lines or none, and what was billed survives kill -9", async () => {
  await using example = await Example.start("tenant-database");
  const client = createClient<typeof registry>(example.url);
  const bakery = client.tenant.getOrCreate(["bakery"]);
  const ann = await bakery.addCustomer("Ann", "ann@example.com");
  const bad = [
    { what: "cake", cents: 2_000 },
    { what: "air", cents: 0 },
  ];
  await expect(bakery.invoice(ann, bad)).rejects.toMatchObject({ code: "no_price" });
  await expect(bakery.invoice(99, [])).rejects.toMatchObject({ code: "no_customer" });
  expect(await bakery.debts()).toEqual([]);

  const invoice = await bakery.invoice(ann, bad.slice(0, 1));
  await example.kill();
  await example.restart();
  expect(await bakery.debts()).toEqual([{ customer: "Ann", cents: 2_000 }]);
  expect(await client.tenant.getOrCreate(["forge"]).debts()).toEqual([]);
  await bakery.pay(invoice);
  expect(await bakery.debts()).toEqual([]);
});
