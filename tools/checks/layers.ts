/** Layer arrows: every import of a source file follows the table in `arrows.ts`. */
import { adapters, isIn, layers, outsiders, publicApiOnly, reExportsOnly, rooms } from "../arrows.ts";
import type { Check, Problem } from "../check.ts";
import { isSource, type Repository } from "../repository.ts";
import { isBare, packageOf, resolveInside } from "../resolve.ts";
import type { Import, SourceModule } from "../source-module.ts";
import { child, children, type Node } from "../syntax.ts";

export const layersCheck: Check = {
  name: "layers",
  remedy: "Move the code to the layer that may know both sides, or pass it in; the table is tools/arrows.ts.",
  find: (repository) => [
    ...repository
      .sources()
      .flatMap((module) => each(module, (found) => sourceProblem(repository, module, found))),
    ...repository.modules().flatMap((module) => each(module, (found) => outsiderProblem(module, found))),
    ...repository.sources().flatMap(ownCode),
    ...repository.packages().flatMap((found) => unknownPackage(found.folder)),
  ],
};

function each(module: SourceModule, judge: (found: Import) => string | undefined): Problem[] {
  return module.imports.flatMap((found) => {
    const message = judge(found);
    return message === undefined ? [] : [{ at: `${module.path}:${found.line}`, message }];
  });
}

function sourceProblem(repository: Repository, module: SourceModule, found: Import): string | undefined {
  const target = resolveInside(repository, module.path, found.specifier);
  if (target === undefined) return isBare(found) ? unknownEntry(repository, found) : undefined;
  return packageProblem(module.path, target, found) ?? roomProblem(module.path, target);
}

function packageProblem(from: string, target: string, found: Import): string | undefined {
  const [own, other] = [folderOf(from), folderOf(target)];
  if (own === other)
    return isSource(target) ? undefined : `a source file imports ${target}, which is not published`;
  if (!isBare(found)) return `imports ${target} by path: other packages are imported by their name`;
  if (rank(other) >= rank(own)) return `${own} may not know ${other}`;
  const closed = publicApiOnly.includes(own) && found.specifier.endsWith("/internal");
  return closed ? `${own} knows other packages by their public entry alone` : undefined;
}

function roomProblem(from: string, target: string): string | undefined {
  for (const room of rooms) {
    if (!isIn(from, room.where) || isIn(from, room.except ?? []) || !isIn(target, room.mayNotSee)) continue;
    if (isIn(target, room.but ?? []) || sameRoom(from, target, room.where)) continue;
    return `imports ${target}: ${room.because}`;
  }
  const seesAdapter =
    isIn(target, adapters.folders) && !isIn(from, [...adapters.folders, ...adapters.mayBeSeenBy]);
  return seesAdapter ? `imports the adapter ${target}: the core gets adapters by constructor` : undefined;
}

function outsiderProblem(module: SourceModule, found: Import): string | undefined {
  if (!isIn(module.path, outsiders.folders) || !isBare(found)) return undefined;
  const ours = /^(@troupe\/|troupe(\/|$))/.test(found.specifier);
  return ours && !outsiders.may.test(found.specifier)
    ? `imports ${found.specifier}: examples use "troupe" alone`
    : undefined;
}

function isNameOfAnother(statement: Node): boolean {
  return statement.type === "ExportNamedDeclaration" && child(statement, "source") !== undefined;
}

/** An entry point that isn't there any more: it throws what says so, and does nothing else. */
function isMoved(path: string): boolean {
  return path.includes("/src/moved/");
}

function isThrown(statement: Node): boolean {
  return statement.type === "ImportDeclaration" || statement.type === "ThrowStatement";
}

function ownCode(module: SourceModule): Problem[] {
  if (!isIn(module.path, reExportsOnly)) return [];
  return children(module.tree, "body")
    .filter((statement) => !isNameOfAnother(statement) && !(isMoved(module.path) && isThrown(statement)))
    .map((statement) => ({
      at: module.at(statement),
      message: "only names of other packages are exported here",
    }));
}

function unknownEntry(repository: Repository, found: Import): string | undefined {
  const name = packageOf(found.specifier);
  const ours = repository.packages().some((candidate) => candidate.manifest.name === name);
  return ours ? `${found.specifier} is not in the exports of ${name}'s package.json` : undefined;
}

function unknownPackage(folder: string): Problem[] {
  if (rank(folder) !== -1) return [];
  return [{ at: `packages/${folder}`, message: "this package has no layer in tools/arrows.ts" }];
}

function sameRoom(from: string, target: string, where: readonly string[]): boolean {
  return where.some((place) => from.startsWith(place) && target.startsWith(place));
}

function rank(folder: string): number {
  return layers.findIndex((layer) => layer.includes(folder));
}

function folderOf(path: string): string {
  return path.split("/")[1] ?? "";
}
