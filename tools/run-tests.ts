/**
 * Runs vitest over everything and reads its report. What failed runs once more by itself: on a machine that others share, a
 * story may miss a deadline of its own. Such a one passes, and is named; one that fails for a reason fails twice.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type CommandResult, command } from "./command.ts";
import { summarize, type TestSummary, type VitestReport, withSecondRun } from "./test-report.ts";

export interface TestRun {
  readonly summary: TestSummary;
  /** All that vitest printed. */
  readonly output: string;
}

export interface TestRunOptions {
  readonly root: string;
  readonly env: Readonly<Record<string, string>>;
  /** Show how far it is, while it runs. */
  readonly show: boolean;
}

// All tests take less than ten minutes on two cores that are free, and three times that on busy ones; one that hangs must not
// take the rest of CI's 90 minutes.
const timeoutMs = 45 * 60_000;

// When more than that failed, something is broken.
const mostToRepeat = 8;

export async function runTests(options: TestRunOptions): Promise<TestRun> {
  const first = await runVitest(options, []);
  const files = [...new Set(first.summary.failures.map((failure) => failure.file))];
  if (files.length === 0 || files.includes("") || files.length > mostToRepeat) return first;
  console.log(`once more, by itself: ${files.join(", ")}`);
  const again = await runVitest(options, files);
  return { output: first.output + again.output, summary: withSecondRun(first.summary, again.summary) };
}

/** Runs `files`, or all when there are none. */
async function runVitest({ root, env, show }: TestRunOptions, files: readonly string[]): Promise<TestRun> {
  const folder = mkdtempSync(join(tmpdir(), "troupe-report-"));
  try {
    const file = join(folder, "report.json");
    const vitest = join(root, "node_modules/vitest/vitest.mjs");
    const reporters = [
      "--reporter=./tools/progress.ts",
      "--reporter=./tools/skip-reasons.ts",
      "--reporter=json",
    ];
    const args = [vitest, "run", "--silent=passed-only", ...reporters, `--outputFile.json=${file}`, ...files];
    const result = await command(process.execPath, args, { cwd: root, env, show, timeoutMs });
    return { output: result.output, summary: summaryOf(file, root, result) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function summaryOf(file: string, root: string, { status, output, timedOut }: CommandResult): TestSummary {
  if (!existsSync(file)) {
    const end = timedOut
      ? `was killed after ${timeoutMs / 60_000} minutes`
      : `ended with exit code ${status}`;
    const last = output.trimEnd().split("\n").slice(-20).join("\n");
    const failure = { file: "", name: "vitest", message: `it ${end} and wrote no report\n${last}` };
    return { passed: 0, failures: [failure], unsteady: [], skips: [], unprovenIds: [] };
  }
  const report: VitestReport = JSON.parse(readFileSync(file, "utf8"));
  // An unhandled error fails the run but no test.
  return summarize({ ...report, success: report.success && status === 0 }, root);
}
