/** Two firms, each with its own customers. */
import { createClient } from "troupe/client";
import type { registry } from "./actor.ts";

await using client = createClient<typeof registry>(process.argv[2] ?? "http://127.0.0.1:6420");
const bakery = client.tenant.getOrCreate(["bakery"]);
const forge = client.tenant.getOrCreate(["forge"]);

const ann = await bakery.addCustomer("Ann", "ann@example.com");
const bo = await bakery.addCustomer("Bo", "bo@example.com");
await forge.addCustomer("Ann", "ann@example.com");

await bakery.invoice(ann, [{ what: "12 rolls", cents: 480 }]);
const cakes = await bakery.invoice(bo, [
  { what: "wedding cake", cents: 24_000 },
  { what: "delivery", cents: 1_500 },
]);
console.log(await bakery.debts());
await bakery.pay(cakes);
console.log(await bakery.debts());
console.log(await forge.debts());
