/** The lock file names versions and digests, and no registry: whoever installs uses their own. */
import type { Check, Problem } from "../check.ts";
import type { Repository } from "../repository.ts";

export interface LockedPackage {
  readonly version?: string;
  readonly resolved?: string;
  readonly integrity?: string;
  readonly license?: string;
  readonly dev?: boolean;
  readonly optional?: boolean;
  readonly link?: boolean;
  readonly hasInstallScript?: boolean;
}

export const lockfileCheck: Check = {
  name: "lockfile",
  remedy:
    "Run `npm install` in the repository (its .npmrc leaves addresses out) and commit package-lock.json.",
  find: (repository) => {
    // Where npm itself looks: install scripts that somebody read, and found to need no network but the registry.
    const scripts =
      repository.json<{ allowScripts?: Record<string, boolean> }>("package.json").allowScripts ?? {};
    return [...lockedPackages(repository)].flatMap(([path, locked]) => problems(path, locked, scripts));
  },
};

export function lockedPackages(repository: Repository): ReadonlyMap<string, LockedPackage> {
  const lock = repository.json<{ packages: Record<string, LockedPackage> }>("package-lock.json");
  const installed = Object.entries(lock.packages).filter(([path]) => path.includes("node_modules/"));
  return new Map(installed.filter(([, locked]) => locked.link !== true));
}

function problems(
  path: string,
  locked: LockedPackage,
  scripts: Readonly<Record<string, boolean>>,
): Problem[] {
  const messages = [
    locked.resolved !== undefined && /^(https?|git|file)[:+]/.test(locked.resolved)
      ? "names an address"
      : undefined,
    locked.integrity === undefined ? "has no digest" : undefined,
    locked.hasInstallScript === true && scripts[path.replace(/^.*node_modules\//, "")] === undefined
      ? "has an install script that `allowScripts` in package.json says nothing about"
      : undefined,
  ];
  return messages.flatMap((message) =>
    message === undefined ? [] : [{ at: "package-lock.json", message: `${path} ${message}` }],
  );
}
