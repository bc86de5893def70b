/** Where an import leads inside the repository, and which package it names outside. */
import { posix } from "node:path";
import type { Repository } from "./repository.ts";
import type { Import } from "./source-module.ts";

/** The file that `specifier` names when written in `from`, or undefined when it leads out of the repository. */
export function resolveInside(repository: Repository, from: string, specifier: string): string | undefined {
  if (specifier.startsWith(".")) return posix.join(posix.dirname(from), specifier);
  const name = packageOf(specifier);
  const found = repository.packages().find((candidate) => candidate.manifest.name === name);
  if (found === undefined) return undefined;
  const subpath = `.${specifier.slice(name.length)}`;
  const source = found.manifest.exports?.[subpath]?.["troupe-source"];
  return source === undefined ? undefined : posix.join("packages", found.folder, source);
}

/** The package that a bare specifier belongs to: `@scope/name`, `name`, or `node:fs` whole. */
export function packageOf(specifier: string): string {
  if (specifier.startsWith("node:")) return specifier;
  return specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");
}

export function isBare(found: Import): boolean {
  return !found.specifier.startsWith(".") && !found.specifier.startsWith("/");
}
