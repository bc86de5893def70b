/** A caller's bucket is empty when it is empty, also behind a crash. */
import { beforeAll, expect, test } from "vitest";
import { Example, needBuild } from "./example.ts";

beforeAll(needBuild, 180_000);

test("five at once, then 429 with the time to wait; a crash fills nothing, and nobody else waits", async () => {
  await using example = await Example.start("rate-limiter");
  const ask = (caller: string) => fetch(`${example.url}/quote`, { headers: { "x-api-key": caller } });
  const answers = await Promise.all(Array.from({ length: 7 }, () => ask("ann")));
  expect(answers.map(({ status }) => status).sort()).toEqual([200, 200, 200, 200, 200, 429, 429]);
  await example.kill();
  await example.restart();
  const refused = await ask("ann");
  expect(refused.status).toBe(429);
  expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
  expect((await ask("bo")).headers.get("ratelimit-remaining")).toBe("4");
  expect((await fetch(`${example.url}/quote`)).status).toBe(401);
});
