/** The SDKs' own code, under their languages' strictest tools. */
import { spawnSync } from "node:child_process";
import { expect, type TestContext, test } from "vitest";
import { cargo, sanitized } from "../support/built.ts";

test("the C SDK reads random, cut and changed frames under sanitizers, and frees what it took", async (context) => {
  const built = await sanitized("fuzz").catch((error) => {
    if (/cannot find .*asan|libasan|libubsan/.test(String(error.stderr)))
      return { missing: "the C compiler has no sanitizers" };
    throw error;
  });
  if (built.missing !== undefined) return context.skip(built.missing);
  const seed = process.env.TROUPE_TEST_SEED ?? "20251121";
  const { status, stdout, stderr } = spawnSync(built.path, [seed, "20000"], { encoding: "utf8" });
  expect({ status, stderr }, `TROUPE_TEST_SEED=${seed}, ${stdout}`).toEqual({ status: 0, stderr: "" });
}, 60_000);

test.for([
  ["formatted", ["fmt", "--check"]],
  ["without a warning", ["clippy", "--all-targets", "--locked", "--", "-D", "warnings"]],
  ["true to its own tests and examples", ["test", "--locked", "--quiet"]],
] as const)("the Rust SDK is %s", { timeout: 300_000 }, async ([, args], context: TestContext) => {
  const ran = await cargo(...args);
  if (ran.missing !== undefined) context.skip(ran.missing);
});
