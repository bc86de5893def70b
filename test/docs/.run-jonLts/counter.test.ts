import assert from "node:assert/strict";
import { test } from "node:test";
import { setupTest } from "troupe/test";
import { registry } from "./registry.ts";

test("counts", async (t) => {
  const { client } = await setupTest(t, registry);
  assert.equal(await client.counter.getOrCreate(["a"]).increment(2), 2);
});
