/** The examples about the relay do what they say. */
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { command } from "../../../tools/command.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));

test("examples/tool-policy lets two things be done and refuses two, and tells nothing private", async () => {
  const main = "examples/tool-policy/main.ts";
  const { status, output } = await command(process.execPath, ["--conditions=troupe-source", main], {
    cwd: root,
  });
  expect(output.trimEnd().split("\n")).toEqual([
    '  told: fetch {"url":"https://example.org/news"}',
    "the text of https://example.org/news",
    "refused by no-internal-hosts: payroll.internal is internal",
    '  told: send-mail {"to":"ann@example.org","text":"…"}',
    "letter 1 to ann@example.org",
    "refused by no-deletes: the assistant deletes nothing",
  ]);
  expect(status).toBe(0);
});
