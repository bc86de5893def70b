/** docs/actions.md: its programs run, and print what they should. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { command } from "../../tools/command.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const page = readFileSync(new URL("../../docs/actions.md", import.meta.url), "utf8");
const programs = [...page.matchAll(/```ts\n(.*?)```/gs)].map(([, code = ""]) => code);
const printed = [
  "[ '2 × tea' ]\nvalidation_error [\n  {\n    path: [ 0, 'count' ],\n    message: 'Too small: expected number to be >=1'\n  }\n]",
  "client.deadline_exceeded unknown\ntrue",
  "5 5\nactor.idempotency_conflict",
  "sold out, yours",
];

test("each program of the page is known here", () => {
  expect(programs).toHaveLength(printed.length);
});

test.each(programs.map((code, n) => [n, code] as const))("program %i runs", async (n, code) => {
  const flags = ["--conditions=troupe-source", "--input-type=module-typescript", "--eval", code];
  // What a slow machine is warned of is none of the program's words.
  const env = { TROUPE_LOG: "silent" };
  const { status, output } = await command(process.execPath, flags, { cwd: root, env });
  expect(output.trim()).toBe(printed[n]);
  expect(status).toBe(0);
});
