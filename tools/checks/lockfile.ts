/** The lock file names versions and digests, and no registry: whoever installs uses their own. */
import type { Check, Problem } from "../check.ts";
import type { Repository } from "../repository.ts";

export interface LockedPackage {
  readonly version?: string;
  readonly resolved?: string;
  readonly integrity?: string;
  readonly license?: string;
  readonly dev?: boolean;
  readonly link?: boolean;
  readonly hasInstallScript?: boolean;
}

/** Install scripts that were read, with what they do. */
const knownInstallScripts: Readonly<Record<string, string>> = {
  "node_modules/node": "installs node-<platform>, a package of the registry, and links its binary",
  "node_modules/cbor-extract": "uses the prebuilt addon that its package ships, or goes without",
};

export const lockfileCheck: Check = {
  name: "lockfile",
  remedy:
    "Run `npm install` in the repository (its .npmrc leaves addresses out) and commit package-lock.json.",
  find: (repository) => [...lockedPackages(repository)].flatMap(([path, locked]) => problems(path, locked)),
};

export function lockedPackages(repository: Repository): ReadonlyMap<string, LockedPackage> {
  const lock = repository.json<{ packages: Record<string, LockedPackage> }>("package-lock.json");
  const installed = Object.entries(lock.packages).filter(([path]) => path.includes("node_modules/"));
  return new Map(installed.filter(([, locked]) => locked.link !== true));
}

function problems(path: string, locked: LockedPackage): Problem[] {
  const messages = [
    locked.resolved !== undefined && /^(https?|git|file)[:+]/.test(locked.resolved)
      ? "names an address"
      : undefined,
    locked.integrity === undefined ? "has no digest" : undefined,
    locked.hasInstallScript === true && knownInstallScripts[path] === undefined
      ? "has an install script that nobody read (tools/checks/lockfile.ts lists those that were)"
      : undefined,
  ];
  return messages.flatMap((message) =>
    message === undefined ? [] : [{ at: "package-lock.json", message: `${path} ${message}` }],
  );
}
