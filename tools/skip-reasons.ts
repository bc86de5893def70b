/**
 * A vitest reporter that keeps why a test was skipped: `context.skip("no C compiler: …")` leaves a note, which
 * vitest's JSON report leaves out. It goes into the test's `meta`, which the report has.
 */
import type { Reporter, TestCase } from "vitest/node";

declare module "vitest" {
  interface TaskMeta {
    why?: string;
  }
}

export default class SkipReasons implements Reporter {
  onTestCaseResult(test: TestCase): void {
    const result = test.result();
    if (result.state === "skipped" && result.note !== undefined) test.meta().why = result.note;
  }
}
