/** What a check is: a function over the repository that lists what is wrong with it. */
import type { Repository } from "./repository.ts";

/** One thing that is wrong, and where. */
export interface Problem {
  /** `path` or `path:line`, relative to the repository's root. */
  readonly at: string;
  readonly message: string;
}

export interface Check {
  readonly name: string;
  /** What a person does when the check fails: one sentence, a command where there is one. */
  readonly remedy: string;
  readonly find: (repository: Repository) => readonly Problem[] | Promise<readonly Problem[]>;
}
