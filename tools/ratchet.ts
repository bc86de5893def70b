/**
 * Lists that may only shrink. Such a file is compared with its own previous version: the last commit's when it was
 * edited since, otherwise the one before its latest change. Without git there is nothing to compare with.
 */
import { spawnSync } from "node:child_process";
import type { Repository } from "./repository.ts";

/** The text of `path` before its latest change, or undefined when there is none. */
export function previousText(repository: Repository, path: string): string | undefined {
  const committed = git(repository, ["show", `HEAD:./${path}`]);
  if (committed === undefined || committed !== repository.text(path)) return committed;
  const [, before] = (git(repository, ["log", "-2", "--format=%H", "--", path]) ?? "").split("\n");
  return before ? git(repository, ["show", `${before}:./${path}`]) : undefined;
}

function git(repository: Repository, args: readonly string[]): string | undefined {
  const run = spawnSync("git", args, { cwd: repository.root, encoding: "utf8" });
  return run.status === 0 ? run.stdout : undefined;
}
