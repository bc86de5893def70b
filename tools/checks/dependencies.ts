/** Every import is declared where it is used, and every declared dependency is used. */
import { builtinModules } from "node:module";
import type { Check, Problem } from "../check.ts";
import { isSource, type Manifest, type Package, type Repository } from "../repository.ts";
import { isBare, packageOf } from "../resolve.ts";
import type { SourceModule } from "../source-module.ts";

/** Root dependencies that no file imports, with what they are for. */
const usedWithoutImport: Readonly<Record<string, string>> = {
  "@biomejs/biome": "tools/checks/lint.ts runs it",
  "@types/node": "types of Node",
  "@bufbuild/buf": "`npm run proto` runs it",
  node: "puts Node 24 first in the PATH of every script",
  "ts-proto": "buf calls it",
  workerd: "the tests of remote hosts run it",
  typescript: "tools/checks/types.ts and the build run it",
};

export const dependenciesCheck: Check = {
  name: "dependencies",
  remedy: "Declare the import in the package.json nearest to it, pinned; remove what nothing imports.",
  find: (repository) => {
    const root = repository.json<Manifest>("package.json");
    return [
      ...repository.modules().flatMap((module) => undeclared(repository, root, module)),
      ...repository.packages().flatMap((found) => unusedByPackage(repository, found)),
      ...unusedByRoot(repository, root),
      ...unpinned(repository, root),
    ];
  },
};

function undeclared(repository: Repository, root: Manifest, module: SourceModule): Problem[] {
  const declared = declaredFor(repository, root, module.path);
  return module.imports.filter(isBare).flatMap((found) => {
    const name = packageOf(found.specifier);
    if (name.startsWith("node:") || declared.has(name)) return [];
    const at = `${module.path}:${found.line}`;
    if (builtinModules.includes(name)) return [{ at, message: `import ${name} as node:${name}` }];
    return [{ at, message: `imports ${name}, which is not declared for it` }];
  });
}

/** Sources see their package's own dependencies; tests and tools see the root's and every workspace too. */
function declaredFor(repository: Repository, root: Manifest, path: string): ReadonlySet<string> {
  const own = repository.packages().find((found) => path.startsWith(`packages/${found.folder}/`))?.manifest;
  const published = own === undefined ? [] : publishedNames(own);
  if (isSource(path)) return new Set(published);
  const workspaces = repository.packages().map((found) => found.manifest.name);
  return new Set([
    ...published,
    ...workspaces,
    ...Object.keys(own?.devDependencies ?? {}),
    ...Object.keys(root.devDependencies ?? {}),
    ...repository.packages().flatMap((found) => publishedNames(found.manifest)),
  ]);
}

function publishedNames(manifest: Manifest): string[] {
  return [
    ...Object.keys(manifest.dependencies ?? {}),
    ...Object.keys(manifest.optionalDependencies ?? {}),
    ...Object.keys(manifest.peerDependencies ?? {}),
  ];
}

function unusedByPackage(repository: Repository, found: Package): Problem[] {
  const folder = `packages/${found.folder}/`;
  const sources = repository.sources().filter((module) => module.path.startsWith(`${folder}src/`));
  // A package whose code is still to be written says nothing yet about what it needs.
  if (sources.length === 0) return [];
  const generated = repository.generated().filter((module) => module.path.startsWith(folder));
  const imported = importedBy([...sources, ...generated]);
  return publishedNames(found.manifest)
    .filter((name) => !imported.has(name))
    .map((name) => ({
      at: `${folder}package.json`,
      message: `depends on ${name}, which its sources don't import`,
    }));
}

function unusedByRoot(repository: Repository, root: Manifest): Problem[] {
  const imported = importedBy(repository.modules());
  return Object.keys(root.devDependencies ?? {})
    .filter((name) => usedWithoutImport[name] === undefined && !imported.has(name.replace(/^@types\//, "")))
    .map((name) => ({ at: "package.json", message: `depends on ${name}, which nothing imports` }));
}

function unpinned(repository: Repository, root: Manifest): Problem[] {
  const manifests = [
    { at: "package.json", manifest: root },
    ...repository
      .packages()
      .map(({ folder, manifest }) => ({ at: `packages/${folder}/package.json`, manifest })),
  ];
  return manifests.flatMap(({ at, manifest }) =>
    Object.entries({
      ...manifest.dependencies,
      ...manifest.devDependencies,
      ...manifest.optionalDependencies,
    })
      .filter(([, range]) => !/^(npm:[@\w/.-]+@)?\d+\.\d+\.\d+[-\w.]*$/.test(range))
      .map(([name, range]) => ({ at, message: `${name} is not pinned: ${range}` })),
  );
}

function importedBy(modules: readonly SourceModule[]): ReadonlySet<string> {
  return new Set(
    modules.flatMap((module) => module.imports.filter(isBare).map((found) => packageOf(found.specifier))),
  );
}
