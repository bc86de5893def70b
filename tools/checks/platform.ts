/**
 * Platform: the core takes time, randomness, timers, ids, files and sockets from `Env` alone, and each third-party
 * package is imported where `arrows.ts` says. That is what makes the simulator, the edge host and the virtual test
 * clock possible, so one forgotten `Date.now()` is a defect.
 */
import { isIn, owners, platformFiles, platformFree } from "../arrows.ts";
import type { Check, Problem } from "../check.ts";
import { freeIdentifiers } from "../free-identifiers.ts";
import { isSource, type Repository } from "../repository.ts";
import { isBare, packageOf } from "../resolve.ts";
import type { Import, SourceModule } from "../source-module.ts";
import { bare, child, descend, type Node, word } from "../syntax.ts";

export const platformCheck: Check = {
  name: "platform",
  remedy:
    "Take it from Env or a port, or move it to an adapter; who may import what stands in tools/arrows.ts.",
  find: (repository) => [
    ...repository.sources().flatMap((module) => [...importProblems(module), ...globalProblems(module)]),
    ...unusedOwners(repository),
  ],
};

// Whatever differs from run to run or reaches outside. Types of these names are fine, and so are locals.
const platformGlobals = new Set([
  ...["setTimeout", "setInterval", "setImmediate", "clearTimeout", "clearInterval", "clearImmediate"],
  ...[
    "queueMicrotask",
    "requestAnimationFrame",
    "performance",
    "crypto",
    "process",
    "Buffer",
    "console",
    "require",
  ],
  ...[
    "fetch",
    "WebSocket",
    "EventSource",
    "XMLHttpRequest",
    "BroadcastChannel",
    "Worker",
    "navigator",
    "location",
  ],
  ...["document", "window", "self", "global", "globalThis", "localStorage", "sessionStorage"],
]);
const platformMembers = new Set(["Date.now", "Math.random", "AbortSignal.timeout", "Atomics.wait"]);

function importProblems(module: SourceModule): Problem[] {
  return module.imports.filter(isBare).flatMap((found) => {
    const message = importProblem(module.path, found);
    return message === undefined ? [] : [{ at: `${module.path}:${found.line}`, message }];
  });
}

function importProblem(path: string, found: Import): string | undefined {
  const name = packageOf(found.specifier);
  if (name === "troupe" || name.startsWith("@troupe/")) return undefined;
  if (name.startsWith("node:") && isPlatformFree(path)) return `imports ${name} outside an adapter`;
  const owner = owners[name];
  if (owner !== undefined)
    return isIn(path, owner) ? undefined : `only ${owner.join(", ")} may import ${name}`;
  return name.startsWith("node:") ? undefined : `${name} has no row in \`owners\``;
}

function globalProblems(module: SourceModule): Problem[] {
  if (!isPlatformFree(module.path)) return [];
  const nodes = [...descend(module.tree)];
  const harmless = new Set(nodes.flatMap(harmlessGlobalThis));
  const uses = freeIdentifiers(module.tree)
    .filter((node) => platformGlobals.has(nameOf(node)) && !harmless.has(node))
    .map((node) => ({ at: module.at(node), message: `uses the global ${nameOf(node)}` }));
  return [...uses, ...nodes.flatMap((node) => memberProblem(module, node))];
}

/** `globalThis.Float16Array` asks whether the language has something: that is not the platform. */
function harmlessGlobalThis(node: Node): Node[] {
  if (node.type !== "MemberExpression") return [];
  let object = bare(child(node, "object"));
  if (object?.type === "TSAsExpression") object = bare(child(object, "expression"));
  if (object === undefined || nameOf(object) !== "globalThis") return [];
  const property = nameOf(child(node, "property"));
  const known = node.computed === false || child(node, "property")?.type === "Literal";
  return known && !platformGlobals.has(property) ? [object] : [];
}

function memberProblem(module: SourceModule, node: Node): Problem[] {
  if (readsClock(node))
    return [{ at: module.at(node), message: "reads the clock by Date without an argument" }];
  if (node.type !== "MemberExpression") return [];
  const name = `${nameOf(child(node, "object"))}.${nameOf(child(node, "property"))}`;
  return platformMembers.has(name) ? [{ at: module.at(node), message: `uses ${name}` }] : [];
}

/** `new Date()` and `Date()` read the clock; `new Date(milliseconds)` is plain data. */
function readsClock(node: Node): boolean {
  if (node.type !== "NewExpression" && node.type !== "CallExpression") return false;
  if (nameOf(bare(child(node, "callee"))) !== "Date") return false;
  return node.type === "CallExpression" || (Array.isArray(node.arguments) && node.arguments.length === 0);
}

function nameOf(node: Node | undefined): string {
  if (node === undefined) return "";
  return word(node, node.type === "Literal" ? "value" : "name") ?? "";
}

function isPlatformFree(path: string): boolean {
  return platformFree.includes(path.split("/")[1] ?? "") && isSource(path) && !isIn(path, platformFiles);
}

function unusedOwners(repository: Repository): Problem[] {
  const dependencies = new Set(
    repository
      .packages()
      .flatMap((found) => [
        ...Object.keys(found.manifest.dependencies ?? {}),
        ...Object.keys(found.manifest.optionalDependencies ?? {}),
        ...Object.keys(found.manifest.peerDependencies ?? {}),
      ]),
  );
  // A fixture or a young repository without packages has nothing to compare with.
  if (dependencies.size === 0) return [];
  return Object.keys(owners)
    .filter((name) => !name.startsWith("node:") && !dependencies.has(name))
    .map((name) => ({
      at: "tools/arrows.ts",
      message: `\`owners\` names ${name}, which no package depends on`,
    }));
}
