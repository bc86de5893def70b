/** What a run of vitest says, read from the file that its JSON reporter wrote. */
import { relative } from "node:path";
import { idsIn } from "./checks/mission.ts";

/** The part of vitest's JSON report that is read here. */
export interface VitestReport {
  readonly success: boolean;
  readonly testResults: readonly VitestFile[];
}

export interface VitestFile {
  readonly name: string;
  readonly status: string;
  readonly message: string;
  readonly assertionResults: readonly VitestTest[];
}

export interface VitestTest {
  readonly fullName: string;
  readonly status: string;
  readonly failureMessages?: readonly string[];
  /** `why` is put there by `tools/skip-reasons.ts`. */
  readonly meta?: { readonly why?: string };
}

export interface Failure {
  /** From the root of the repository; empty when it is no file's. */
  readonly file: string;
  readonly name: string;
  readonly message: string;
}

export interface Skip {
  readonly name: string;
  readonly why: string;
}

export interface TestSummary {
  readonly passed: number;
  readonly failures: readonly Failure[];
  /** What failed among all others and passed by itself. */
  readonly unsteady: readonly Failure[];
  readonly skips: readonly Skip[];
  /** Ids of the mission all of whose tests were skipped. */
  readonly unprovenIds: readonly string[];
}

/** Sums up a report. A file that could not be loaded counts as one failure: its tests are not even known. */
export function summarize(report: VitestReport, root: string): TestSummary {
  const files = report.testResults.map((file) => summarizeFile(file, relative(root, file.name)));
  const failures = files.flatMap((file) => file.failures);
  if (!report.success && failures.length === 0) {
    failures.push({ file: "", name: "vitest", message: "the run failed outside of any test, or ran none" });
  }
  const all = report.testResults.flatMap((file) => file.assertionResults);
  const ran = new Set(all.filter((test) => !isSkipped(test)).flatMap((test) => idsIn(test.fullName)));
  return {
    passed: files.reduce((sum, file) => sum + file.passed, 0),
    failures,
    unsteady: [],
    skips: files.flatMap((file) => file.skips),
    unprovenIds: idsIn(all.map((test) => test.fullName).join("\n")).filter((id) => !ran.has(id)),
  };
}

/** What `first` found, where the files that failed have run `again`. */
export function withSecondRun(first: TestSummary, again: TestSummary): TestSummary {
  const stillFails = new Set(again.failures.map((failure) => failure.name));
  const unsteady = first.failures.filter((failure) => !stillFails.has(failure.name));
  // A file that failed as a whole, and then loaded, has more tests than one; they were counted nowhere.
  return { ...first, passed: first.passed + unsteady.length, failures: again.failures, unsteady };
}

/** The line that ends a run, alone on its line, for people and programs. */
export function closingLine(summary: TestSummary): string {
  return `${summary.passed} passed, ${summary.failures.length} failed, ${summary.skips.length} skipped`;
}

function summarizeFile(file: VitestFile, path: string): Pick<TestSummary, "passed" | "failures" | "skips"> {
  const nameOf = (test: VitestTest) => `${path} › ${test.fullName}`;
  const failures = file.assertionResults
    .filter((test) => test.status === "failed")
    .map((test) => ({ file: path, name: nameOf(test), message: test.failureMessages?.[0] ?? "" }));
  if (file.status === "failed" && failures.length === 0)
    failures.push({ file: path, name: path, message: file.message });
  const skips = file.assertionResults
    .filter(isSkipped)
    .map((test) => ({ name: nameOf(test), why: test.meta?.why ?? "the test gives no reason" }));
  return { passed: file.assertionResults.filter((test) => test.status === "passed").length, failures, skips };
}

function isSkipped(test: VitestTest): boolean {
  return test.status !== "passed" && test.status !== "failed";
}
