/**
 * The order in which vitest starts the files of all projects, so that no core is idle: the simulator first, which never waits and
 * takes what others leave, and beside it what takes a process of its own (its files last longest, the longest of them minutes, and
 * wait the most), then the rest, and the small ones last.
 */
import { relative } from "node:path";
import { BaseSequencer, type TestSpecification } from "vitest/node";

export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    // Within a project: what took longest in the run before, or where none is known, the largest file.
    const sorted = await super.sort(files);
    return sorted.sort((one, other) => rank(one) - rank(other));
  }
}

function rank({ moduleId, project }: TestSpecification): number {
  // Files of some lines, which are minutes of work.
  if (relative(project.config.root, moduleId).startsWith("sim")) return 0;
  return project.config.isolate ? 1 : 2;
}
