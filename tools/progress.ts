/**
 * The vitest reporter of `npm test`: a line now and then that says how far it is, and each failure at once. What tests print
 * stays out of sight, so that a run of some minutes is a page. At its end it names the slowest files.
 */
import type { Reporter, TestCase, TestModule } from "vitest/node";

/** A line for each of so many parts of all files. */
const parts = 20;

/** So many files are named at the end, those that took longest. */
const namedFiles = 10;

export default class Progress implements Reporter {
  #files = 0;
  #ended = 0;
  #tests = 0;
  #failed = 0;
  #said = 0;
  readonly #start = performance.now();
  readonly #slowest: { readonly name: string; readonly ms: number }[] = [];

  onTestRunStart(files: readonly unknown[]): void {
    this.#files = files.length;
  }

  onTestCaseResult(test: TestCase): void {
    const { state, errors } = test.result();
    this.#tests += 1;
    if (state === "failed")
      this.#fail(`${test.module.relativeModuleId} › ${test.fullName}`, errors?.[0]?.message);
  }

  onTestModuleEnd(file: TestModule): void {
    this.#ended += 1;
    // A file that didn't load has errors of its own, and no test that failed.
    for (const error of file.errors()) this.#fail(file.relativeModuleId, error.message);
    this.#time(file);
    const part = Math.floor((this.#ended * parts) / this.#files);
    if (part === this.#said) return;
    this.#said = part;
    const seconds = Math.round((performance.now() - this.#start) / 1000);
    const ended = `${String(this.#ended).padStart(4)} of ${this.#files} files`;
    console.log(
      `${ended}, ${String(this.#tests).padStart(5)} tests, ${this.#failed} failed, ${String(seconds).padStart(4)} s`,
    );
  }

  onTestRunEnd(): void {
    const lines = this.#slowest.map(({ name, ms }) => `  ${(ms / 1000).toFixed(1).padStart(6)} s ${name}`);
    if (this.#files > namedFiles) console.log(`the slowest files\n${lines.join("\n")}`);
  }

  #time(file: TestModule): void {
    const { collectDuration, duration } = file.diagnostic();
    const name = `${file.relativeModuleId}${file.project.name === "carried" ? " (carried)" : ""}`;
    this.#slowest.push({ name, ms: collectDuration + duration });
    this.#slowest.sort((a, b) => b.ms - a.ms).splice(namedFiles);
  }

  #fail(name: string, message = ""): void {
    this.#failed += 1;
    console.log(`  failed: ${name}: ${message.split("\n")[0]}`);
  }
}
