import { expect, test } from "vitest";
import { closingLine, summarize, type VitestFile, withSecondRun } from "./test-report.ts";

const file = (
  assertionResults: VitestFile["assertionResults"],
  more: Partial<VitestFile> = {},
): VitestFile => ({
  name: "/repo/sim/a.test.ts",
  status: "passed",
  message: "",
  assertionResults,
  ...more,
});

test("a report becomes counts, failures with their first message, and skips with their reasons", () => {
  const tests = [
    { fullName: "S1.1 loads", status: "passed" },
    { fullName: "breaks", status: "failed", failureMessages: ["Error: seed 7"] },
    { fullName: "S1.2 needs a compiler", status: "skipped", meta: { why: "gcc is not installed" } },
    { fullName: "S1.1 again", status: "pending", meta: {} },
  ];
  const summary = summarize({ success: false, testResults: [file(tests, { status: "failed" })] }, "/repo");
  expect(summary).toEqual({
    passed: 1,
    failures: [{ file: "sim/a.test.ts", name: "sim/a.test.ts › breaks", message: "Error: seed 7" }],
    unsteady: [],
    skips: [
      { name: "sim/a.test.ts › S1.2 needs a compiler", why: "gcc is not installed" },
      { name: "sim/a.test.ts › S1.1 again", why: "the test gives no reason" },
    ],
    unprovenIds: ["S1.2"],
  });
  expect(closingLine(summary)).toBe("1 passed, 1 failed, 2 skipped");
});

test("a file that does not load, and a run that fails outside of its tests, are failures", () => {
  const broken = summarize(
    { success: false, testResults: [file([], { status: "failed", message: "no such module" })] },
    "/repo",
  );
  expect(broken.failures).toEqual([
    { file: "sim/a.test.ts", name: "sim/a.test.ts", message: "no such module" },
  ]);
  const outside = summarize({ success: false, testResults: [] }, "/repo");
  expect(closingLine(outside)).toBe("0 passed, 1 failed, 0 skipped");
});

test("what failed once and then passed by itself has passed, and is named; what failed twice has failed", () => {
  const failed = (fullName: string) => ({ fullName, status: "failed", failureMessages: ["late"] });
  const run = (tests: VitestFile["assertionResults"]) =>
    summarize({ success: false, testResults: [file(tests, { status: "failed" })] }, "/repo");
  const first = run([{ fullName: "well", status: "passed" }, failed("at times"), failed("always")]);
  const again = run([
    { fullName: "well", status: "passed" },
    { fullName: "at times", status: "passed" },
    failed("always"),
  ]);
  const both = withSecondRun(first, again);
  expect(closingLine(both)).toBe("2 passed, 1 failed, 0 skipped");
  expect(both.unsteady.map((failure) => failure.name)).toEqual(["sim/a.test.ts › at times"]);
  expect(both.failures.map((failure) => failure.name)).toEqual(["sim/a.test.ts › always"]);
});
