/** An API that asks the limiter before it answers: `GET /quote`, with the caller's key in `x-api-key`. */
import { setup } from "troupe";
import { limiter } from "./actor.ts";

export const registry = setup({ use: { limiter }, fetch: quote });

async function quote(request: Request): Promise<Response> {
  const caller = request.headers.get("x-api-key");
  if (caller === null) return new Response("Who are you?\n", { status: 401 });
  const client = await registry.client();
  const { allowed, remaining, retryAfterMs } = await client.limiter.getOrCreate([caller]).take();
  if (!allowed) {
    const headers = { "retry-after": String(Math.ceil(retryAfterMs / 1_000)) };
    return new Response("Not so fast\n", { status: 429, headers });
  }
  return new Response("Well begun is half done\n", { headers: { "ratelimit-remaining": String(remaining) } });
}

await registry.start();
