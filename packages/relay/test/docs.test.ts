/** docs/relay.md says what the table says, and its snippets run. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { kindRow, middlewareKindNames } from "@troupe/relay";
import { expect, test } from "vitest";
import { command } from "../../../tools/command.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const page = readFileSync(join(root, "docs/relay.md"), "utf8");

test("the documentation's table of kinds is the code's", () => {
  const rows = middlewareKindNames.map((kind) => {
    const { wire, phase, failure, deadlineMs, atOnce, what } = kindRow(kind);
    const within = atOnce ? "at once" : deadlineMs === null ? "none" : `${deadlineMs / 1_000} s`;
    return `| \`${kind}\` | ${wire} | ${phase} | ${failure} | ${within} | ${what} |`;
  });
  expect(page.split("\n").filter((line) => /^\| `[a-z_]+` \|/.test(line))).toEqual(rows);
});

test("each kind has a row that says what it gets and answers", () => {
  const manifest = readFileSync(join(root, "docs/plugins/manifest.md"), "utf8");
  const [, table = ""] = manifest.split("| kind | gets | answers |");
  const named = table.split("\n").flatMap((line) => {
    const [, kinds = ""] = /^\| (`[^|]+`) \|/.exec(line) ?? [];
    return [...kinds.matchAll(/`([a-z_]+)`/g)].map(([, kind]) => kind);
  });
  expect(named.sort()).toEqual([...middlewareKindNames].sort());
});

const snippets = [...page.matchAll(/```ts\n(.*?)```/gs)].map(([, code = ""]) => code);
const expected = [
  [
    ...["3", "no-deletes said no", "start agent request", "start tool add", "end tool add"],
    ...["start guardrail no-deletes", "end guardrail no-deletes", "start guardrail no-deletes"],
    ...["end guardrail no-deletes", "end agent request"],
  ],
  ["roses", "are red"],
  ["found tea", 'Guardrail "office-hours" rejected the call: not today'],
  ["true"],
];

test.each(snippets.map((code, n) => [n, code] as const))(
  "snippet %i runs and prints what it should",
  async (n, code) => {
    const events = mkdtempSync(join(tmpdir(), "troupe-docs-"));
    try {
      const script = code.replace('"events"', JSON.stringify(events));
      const flags = ["--conditions=troupe-source", "--input-type=module-typescript", "--eval", script];
      const { status, output } = await command(process.execPath, flags, { cwd: root });
      expect(output.trim().split("\n").sort()).toEqual([...(expected[n] ?? [])].sort());
      expect(status).toBe(0);
    } finally {
      rmSync(events, { recursive: true });
    }
  },
);
