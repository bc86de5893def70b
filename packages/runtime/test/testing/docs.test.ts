/** docs/testing.md shows tests that pass, under node:test. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { command } from "../../../../tools/command.ts";

const root = fileURLToPath(new URL("../../../..", import.meta.url));
const page = readFileSync(`${root}/docs/testing.md`, "utf8");

test("the documentation's tests pass", async () => {
  const [, code = ""] = /```ts\n(.*?)```/s.exec(page) ?? [];
  const flags = ["--conditions=troupe-source", "--input-type=module-typescript", "--eval", code];
  const { status, output } = await command(process.execPath, flags, { cwd: root });
  expect(output).toContain("pass 3");
  expect(status).toBe(0);
});
