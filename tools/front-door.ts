/**
 * The one way through checks, build and tests. `npm test` and `npm run verify` both end here; the first also
 * provides the programs that some tests need.
 */
import { builds, staticChecks } from "./checks.ts";
import { Repository } from "./repository.ts";
import { runChecks } from "./run-checks.ts";
import { runTests } from "./run-tests.ts";
import { wrongNode } from "./setup/node-version.ts";
import { environmentOf, type FoundProgram } from "./setup/programs.ts";
import { closingLine, type Failure, type TestSummary } from "./test-report.ts";

export interface FrontDoorOptions {
  readonly root: string;
  /** Finds, or provides, what tests need. */
  readonly programs: () => Promise<readonly FoundProgram[]>;
  /** Show how far the tests are, while they run. Without it, what they printed is shown when one failed. */
  readonly show: boolean;
}

/** Runs everything and prints it. Gives the exit code: 0 when nothing failed. */
export async function enter({ root, programs, show }: FrontDoorOptions): Promise<number> {
  const wrong = wrongNode(process.versions.node);
  if (wrong !== undefined) {
    console.log(`${wrong}\n0 passed, 1 failed`);
    return 1;
  }
  // Beside checks and build, which need none of them: what isn't there is downloaded, and one is compiled.
  const providing = programs();
  const repository = new Repository(root);
  const checks = await runChecks(staticChecks, repository, console.log);
  const built = await runChecks(builds, repository, console.log);
  const failed = [...checks, ...built].filter((result) => result.problems.length > 0);
  const found = await providing;
  if (built.some((result) => result.problems.length > 0)) {
    console.log("\nThe tests did not run: the build failed.\n0 passed, 1 failed");
    return 1;
  }
  for (const program of found) console.log(saidOf(program));
  const start = performance.now();
  const { summary, output } = await runTests({ root, env: environmentOf(found), show });
  if (!show && summary.failures.length > 0) console.log(output);
  console.log(`${summary.failures.length === 0 ? "✓" : "✗"} tests (${seconds(start)})`);
  print(summary);
  if (failed.length > 0)
    console.log(`\nFailed checks, see above: ${failed.map(({ check }) => check.name).join(", ")}`);
  console.log(`\n${closingLine(summary)}`);
  return failed.length + summary.failures.length === 0 ? 0 : 1;
}

function saidOf({ program, path, why }: FoundProgram): string {
  return path === "" ? `skipped: tests that need ${program.title}: ${why}` : `✓ ${program.title}: ${path}`;
}

function print(summary: TestSummary): void {
  for (const { name, why } of summary.skips) console.log(`  skipped: ${name}: ${why}`);
  for (const id of summary.unprovenIds) console.log(`  skipped: every test of ${id}`);
  for (const failure of summary.unsteady)
    console.log(described("failed among others, passed by itself", failure));
  for (const failure of summary.failures) console.log(described("failed", failure));
}

/** The first lines of a failure, and every line that says how to repeat it. */
function described(what: string, { name, message }: Failure): string {
  const telling = message.split("\n").filter((line, index) => index < 12 || /seed|replay/i.test(line));
  return [`  ${what}: ${name}`, ...telling.map((line) => `    ${line}`)].join("\n");
}

function seconds(start: number): string {
  return `${((performance.now() - start) / 1000).toFixed(1)} s`;
}
