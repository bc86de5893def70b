/**
 * The order in which vitest starts the files of all projects, so that no core is idle at the end: what takes a process of its
 * own first (its files last longest, the longest of them two minutes), then the rest, and the small ones last.
 */
import { BaseSequencer, type TestSpecification } from "vitest/node";

export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    // Within a project: what took longest in the run before, or where none is known, the largest file.
    const sorted = await super.sort(files);
    return [...sorted.filter(isolated), ...sorted.filter((file) => !isolated(file))];
  }
}

function isolated(file: TestSpecification): boolean {
  return file.project.config.isolate;
}
