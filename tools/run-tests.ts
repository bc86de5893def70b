/** Runs vitest over everything and reads its report. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { command } from "./command.ts";
import { summarize, type TestSummary, type VitestReport } from "./test-report.ts";

export interface TestRun {
  readonly summary: TestSummary;
  /** All that vitest printed. */
  readonly output: string;
}

export interface TestRunOptions {
  readonly root: string;
  readonly env: Readonly<Record<string, string>>;
  /** Show vitest's lines while they come. */
  readonly show: boolean;
}

export async function runTests({ root, env, show }: TestRunOptions): Promise<TestRun> {
  const folder = mkdtempSync(join(tmpdir(), "troupe-report-"));
  try {
    const file = join(folder, "report.json");
    const vitest = join(root, "node_modules/vitest/vitest.mjs");
    const reporters = ["--reporter=default", "--reporter=./tools/skip-reasons.ts", "--reporter=json"];
    const args = [vitest, "run", ...reporters, `--outputFile.json=${file}`];
    const result = await command(process.execPath, args, { cwd: root, env, show, timeoutMs: 1_800_000 });
    return { output: result.output, summary: summaryOf(file, root, result.status) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function summaryOf(file: string, root: string, status: number): TestSummary {
  if (!existsSync(file)) {
    const failure = { name: "vitest", message: `it ended with exit code ${status} and wrote no report` };
    return { passed: 0, failures: [failure], skips: [], unprovenIds: [] };
  }
  const report: VitestReport = JSON.parse(readFileSync(file, "utf8"));
  // An unhandled error fails the run but no test.
  return summarize({ ...report, success: report.success && status === 0 }, root);
}
