/** Runs vitest over everything and reads its report. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type CommandResult, command } from "./command.ts";
import { Repository } from "./repository.ts";
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

// All tests take less than ten minutes on two cores; one that hangs must not take the rest of an hour.
const timeoutMs = 15 * 60_000;

export async function runTests({ root, env, show }: TestRunOptions): Promise<TestRun> {
  const folder = mkdtempSync(join(tmpdir(), "troupe-report-"));
  try {
    const file = join(folder, "report.json");
    const vitest = join(root, "node_modules/vitest/vitest.mjs");
    const reporters = ["--reporter=default", "--reporter=./tools/skip-reasons.ts", "--reporter=json"];
    const args = [vitest, "run", ...reporters, `--outputFile.json=${file}`];
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
    const unfinished = unfinishedFiles(new Repository(root), output);
    const message = `it ${end} and wrote no report; not heard of: ${unfinished.join(", ") || "none"}`;
    const failure = { name: "vitest", message };
    return { passed: 0, failures: [failure], skips: [], unprovenIds: [] };
  }
  const report: VitestReport = JSON.parse(readFileSync(file, "utf8"));
  // An unhandled error fails the run but no test.
  return summarize({ ...report, success: report.success && status === 0 }, root);
}

/** The test files whose end vitest did not print. */
function unfinishedFiles(repository: Repository, output: string): string[] {
  return repository.files().filter((path) => path.endsWith(".test.ts") && !output.includes(path));
}
