/**
 * Scopes: where a host's user keeps plugins.
 *
 * Two lists: the user's, for every project, and a project's, which may be in its repository. An id of both is the user's: a
 * project can't put something else in the place of what the user has chosen. What was decided about a plugin (enabled,
 * trusted, pinned) is the user's in both and never in the project's folder: what a repository brings runs nothing by itself.
 */
import { existsSync, realpathSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";

/** Which list. */
export type ScopeName = "user" | "project";

/** The folders of both scopes, absolute. */
export interface Scopes {
  /** Has `plugins.json` and `plugin-policy.json`. */
  readonly user: string;
  /** Has `troupe-plugins.json`, or would. */
  readonly project: string;
}

const USER_LIST = "plugins.json";
const PROJECT_LIST = "troupe-plugins.json";

/**
 * The scopes of somebody who works in `cwd`: `$XDG_CONFIG_HOME/troupe`, by default `~/.config/troupe`, and the nearest folder
 * above `cwd` that has a list; `cwd` itself where none has.
 */
export function findScopes(cwd: string, env: Readonly<Record<string, string | undefined>>): Scopes {
  const config = env.XDG_CONFIG_HOME || join(env.HOME || homedir(), ".config");
  const here = realpathSync(cwd);
  let project = here;
  while (!existsSync(join(project, PROJECT_LIST))) {
    const above = dirname(project);
    if (above === project) return { user: join(config, "troupe"), project: here };
    project = above;
  }
  return { user: join(config, "troupe"), project };
}

/** The user's list, and all decisions. */
export function userFile({ user }: Scopes): string {
  return join(user, USER_LIST);
}

/** The project's list. */
export function projectFile({ project }: Scopes): string {
  return join(project, PROJECT_LIST);
}

/** Whose plugins the user takes. */
export function policyFile({ user }: Scopes): string {
  return join(user, "plugin-policy.json");
}
