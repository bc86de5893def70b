/** The SDKs' own code, under their languages' strictest tools. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect, type TestContext, test } from "vitest";
import { type Built, cargo, sanitized } from "../support/built.ts";

test.for(["address,undefined", "thread"])(
  "the C SDK reads random, cut and changed frames while its lanes work, and frees what it took: -fsanitize=%s",
  { timeout: 120_000 },
  async (sanitizers, context) => {
    const seed = process.env.TROUPE_TEST_SEED ?? "20251121";
    const ran = run(
      context,
      await sanitized("fuzz", sanitizers),
      seed,
      sanitizers === "thread" ? "1000" : "5000",
    );
    expect(ran, `TROUPE_TEST_SEED=${seed}, ${ran.stdout}`).toMatchObject({ status: 0, stderr: "" });
  },
);

test("the C SDK reads integers out of JSON, and takes nothing else for one", async (context) => {
  expect(run(context, await sanitized("json", "address,undefined"))).toEqual({
    status: 0,
    stdout: "",
    stderr: "",
  });
}, 60_000);

function run(context: TestContext, built: Built, ...args: string[]) {
  if (built.missing !== undefined) return context.skip(built.missing);
  const { status, stdout, stderr } = spawnSync(built.path, args, { encoding: "utf8" });
  return { status, stdout, stderr };
}

test.for([
  ["formatted", ["fmt", "--check"]],
  ["without a warning", ["clippy", "--release", "--all-targets", "--locked", "--", "-D", "warnings"]],
  ["true to its own tests and examples", ["test", "--release", "--locked", "--quiet"]],
] as const)("the Rust SDK is %s", { timeout: 300_000 }, async ([, args], context: TestContext) => {
  const ran = await cargo(...args);
  if (ran.missing !== undefined) context.skip(ran.missing);
});

test("the Python SDK, its examples and its template have nothing that pyflakes warns of", (context) => {
  const linter = process.env.TROUPE_TEST_PYFLAKES;
  if (!linter) return context.skip(process.env.TROUPE_TEST_PYFLAKES_WHY || "no pyflakes");
  const root = join(import.meta.dirname, "../../../..");
  const folders = [
    "sdks/python/troupe_plugin",
    "sdks/python/tests",
    "conformance/plugin/workers",
    "packages/cli/templates/python",
  ];
  const { status, stdout, stderr } = spawnSync(linter, folders, { cwd: root, encoding: "utf8" });
  expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: "", stderr: "" });
});
