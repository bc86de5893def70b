/** Licence inventory: every installed dependency has a licence on the list; an unknown one fails. */
import type { Check, Problem } from "../check.ts";
import type { Manifest, Repository } from "../repository.ts";
import { type LockedPackage, lockedPackages } from "./lockfile.ts";

const allowed = new Set([
  ...["MIT", "MIT-0", "ISC", "Apache-2.0", "0BSD", "BSD-2-Clause", "BSD-3-Clause", "BlueOak-1.0.0"],
  ...["CC0-1.0", "CC-BY-4.0", "Python-2.0", "Unlicense", "Zlib"],
]);
/** Fine for tools that are not shipped: their terms cover their own files. */
const allowedForDevelopment = new Set(["MPL-2.0"]);
/** Optional parts of other packages that are neither built nor run here, nor shipped: package to licence. */
const neverBuilt: Readonly<Record<string, string>> = {
  // The `xz` of just-bash, which people install by themselves. `allowScripts` keeps it from being built.
  "node_modules/node-liblzma": "LGPL-3.0",
};

export const licencesCheck: Check = {
  name: "licences",
  remedy:
    "Read the licence; if its terms suit, add its SPDX id to tools/checks/licences.ts, otherwise drop the package.",
  find: (repository) =>
    [...lockedPackages(repository)].flatMap(([path, locked]) => problems(repository, path, locked)),
};

function problems(repository: Repository, path: string, locked: LockedPackage): Problem[] {
  const licence = licenceOf(repository, path, locked);
  if (licence === undefined) return [{ at: "package-lock.json", message: `${path} states no licence` }];
  if (locked.optional === true && neverBuilt[path] === licence) return [];
  const accept = (id: string) => allowed.has(id) || (locked.dev === true && allowedForDevelopment.has(id));
  if (permits(licence, accept)) return [];
  return [{ at: "package-lock.json", message: `${path} is under ${licence}, which is not on the list` }];
}

/** The lock file's word, else that of the installed package: the lock leaves it out of some. */
function licenceOf(repository: Repository, path: string, locked: LockedPackage): string | undefined {
  if (locked.license !== undefined) return locked.license;
  const manifest = `${path}/package.json`;
  return repository.has(manifest) ? repository.json<Manifest>(manifest).license : undefined;
}

/** True when an SPDX expression can be satisfied: one side of an OR, both sides of an AND. */
export function permits(expression: string, accept: (id: string) => boolean): boolean {
  const words = expression.match(/[()]|[^\s()]+/g) ?? [];
  return either() && words.length === 0;

  // Both sides are always read, also when the first has decided, to move past them.
  function either(): boolean {
    let left = both();
    while (words[0] === "OR" && words.shift()) left = [both(), left].includes(true);
    return left;
  }

  function both(): boolean {
    let left = one();
    while (words[0] === "AND" && words.shift()) left = ![one(), left].includes(false);
    return left;
  }

  function one(): boolean {
    const word = words.shift();
    if (word !== "(") return word !== undefined && accept(word);
    const inner = either();
    return words.shift() === ")" && inner;
  }
}
