/** Runs checks, a few at once, and prints one line for each when it is done, in the order of the list. */
import type { Check, Problem } from "./check.ts";
import type { Repository } from "./repository.ts";

export interface CheckResult {
  readonly check: Check;
  readonly problems: readonly Problem[];
  readonly elapsedMs: number;
}

export type Print = (line: string) => void;

/** Runs `checks` with at most two at a time; a check that throws has failed. */
export async function runChecks(
  checks: readonly Check[],
  repository: Repository,
  print: Print,
): Promise<CheckResult[]> {
  const started: Promise<CheckResult>[] = [];
  const results: CheckResult[] = [];
  for (const [index, check] of checks.entries()) {
    await started[index - 2];
    started.push(runCheck(check, repository));
  }
  for (const run of started) {
    const result = await run;
    results.push(result);
    for (const line of describe(result)) print(line);
  }
  return results;
}

async function runCheck(check: Check, repository: Repository): Promise<CheckResult> {
  const start = performance.now();
  const problems = await find(check, repository);
  return { check, problems, elapsedMs: performance.now() - start };
}

async function find(check: Check, repository: Repository): Promise<readonly Problem[]> {
  try {
    return await check.find(repository);
  } catch (error) {
    return [
      { at: check.name, message: error instanceof Error ? (error.stack ?? error.message) : String(error) },
    ];
  }
}

/** The lines for one result: a calm one, and what to do when it failed. */
export function describe({ check, problems, elapsedMs }: CheckResult): string[] {
  const time = `${(elapsedMs / 1000).toFixed(1)} s`;
  if (problems.length === 0) return [`✓ ${check.name} (${time})`];
  return [
    `✗ ${check.name} (${time})`,
    ...problems
      .flatMap(({ at, message }) => `${at === "" ? "" : `${at}: `}${message}`.split("\n"))
      .map((line) => `    ${line}`),
    `    → ${check.remedy}`,
  ];
}
