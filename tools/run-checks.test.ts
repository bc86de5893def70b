import { expect, test } from "vitest";
import type { Check, Problem } from "./check.ts";
import { Repository } from "./repository.ts";
import { describe, runChecks } from "./run-checks.ts";

const repository = new Repository("/nowhere");

const check = (name: string, find: Check["find"]): Check => ({ name, remedy: "Mend it.", find });

test("a result is one calm line, or the problems and what to do", () => {
  const passing = check("lines", () => []);
  expect(describe({ check: passing, problems: [], elapsedMs: 1240 })).toEqual(["✓ lines (1.2 s)"]);
  const problems = [{ at: "a.ts:1", message: "one\ntwo" }];
  expect(describe({ check: passing, problems, elapsedMs: 0 })).toEqual([
    "✗ lines (0.0 s)",
    "    a.ts:1: one",
    "    two",
    "    → Mend it.",
  ]);
});

test("two checks run at once, lines come in order, and a check that throws has failed", async () => {
  const lines: string[] = [];
  const release = Promise.withResolvers<readonly Problem[]>();
  const checks = [
    check("slow", () => release.promise),
    check("quick", () => {
      release.resolve([]);
      return [];
    }),
    check("broken", () => {
      throw new Error("no such file");
    }),
  ];
  const results = await runChecks(checks, repository, (line) => lines.push(line));
  expect(results.map((result) => result.problems.length)).toEqual([0, 0, 1]);
  expect(lines.filter((line) => /^[✓✗]/.test(line)).map((line) => line.split(" ")[1])).toEqual([
    "slow",
    "quick",
    "broken",
  ]);
  expect(lines.join("\n")).toContain("no such file");
});
