/** Fills a cart, thinks again, pays, and looks back. */
import { createClient } from "troupe/client";
import type { registry } from "./actor.ts";

await using client = createClient<typeof registry>(process.argv[2] ?? "http://127.0.0.1:6420");
const cart = client.cart.getOrCreate([crypto.randomUUID()]);

await cart.add("tea", 2, 450);
await cart.add("cup", 1, 900);
await cart.remove("cup");
await cart.discount(10);
console.log("to pay:", await cart.checkOut());
console.log("after two events:", (await cart.asOf(2)).items);
console.log((await cart.history()).map(({ kind }) => kind).join(", "));
