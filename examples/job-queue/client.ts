/** Sends jobs to a receiver of its own, which is well, shaky, or down. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createClient } from "troupe/client";
import type { registry } from "./actor.ts";

let shaky = 2;
let mended = false;
const receiver = createServer((request, response) => {
  request.resume();
  const fails = request.url === "/down" ? !mended : request.url === "/shaky" && shaky-- > 0;
  response.writeHead(fails ? 500 : 204).end();
});
await new Promise<void>((resolve) => receiver.listen(0, "127.0.0.1", resolve));
const base = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}`;

await using client = createClient<typeof registry>(process.argv[2] ?? "http://127.0.0.1:6420");
const webhooks = client.webhooks.getOrCreate(["shop"]).connect();
const tries = webhooks.events("tried");

/** Sends one job, and shows what becomes of it. */
async function deliver(path: string): Promise<void> {
  await webhooks.send("jobs", { url: base + path, payload: { order: 1 } });
  await watch(path);
}

async function watch(path: string): Promise<void> {
  for (;;) {
    const { value } = await tries.next();
    if (value === undefined) return;
    const [{ attempt, outcome }] = value;
    console.log(`${path}, try ${attempt}: ${outcome}`);
    if (outcome === "delivered" || attempt === 5) return;
  }
}

await deliver("/well");
await deliver("/shaky");
await deliver("/down");
const [failure] = await webhooks.failed();
console.log(`put aside: ${failure?.attempts} tries`);
mended = true;
await webhooks.tryAgain(failure?.id ?? 0);
await watch("/down");
console.log("delivered:", await webhooks.delivered());
receiver.close();
