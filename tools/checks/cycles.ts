/**
 * Import cycles over value imports. In a cycle a module can run before what it imports is there, and nobody can read
 * one of its files alone. Type imports leave nothing at run time, so they may point both ways; so may `import(…)`.
 */
import type { Check, Problem } from "../check.ts";
import type { Repository } from "../repository.ts";
import { resolveInside } from "../resolve.ts";
import type { SourceModule } from "../source-module.ts";

export const cyclesCheck: Check = {
  name: "cycles",
  remedy:
    "Cut the cycle at its weakest import: move what both sides need into a file of its own, or pass it in.",
  find: (repository) => {
    const graph = new Map(repository.modules().map((module) => [module.path, targets(repository, module)]));
    return strongComponents(graph).map((component) => problem(graph, component));
  },
};

type Graph = ReadonlyMap<string, readonly string[]>;

function targets(repository: Repository, module: SourceModule): string[] {
  return module.imports
    .filter((found) => !found.typeOnly && !found.dynamic)
    .flatMap((found) => resolveInside(repository, module.path, found.specifier) ?? []);
}

function problem(graph: Graph, component: ReadonlySet<string>): Problem {
  const path = walkBack(graph, component);
  return { at: path[0] ?? "", message: `imports itself: ${path.join(" → ")}` };
}

/** One cycle inside a component, from its first file back to it. */
function walkBack(graph: Graph, component: ReadonlySet<string>): string[] {
  const start = [...component].sort()[0] ?? "";
  const cameFrom = new Map<string, string>();
  const queue = [start];
  for (const at of queue) {
    for (const next of graph.get(at) ?? []) {
      if (next === start) return unwind(cameFrom, start, at);
      if (!component.has(next) || cameFrom.has(next)) continue;
      cameFrom.set(next, at);
      queue.push(next);
    }
  }
  return [start];
}

function unwind(cameFrom: ReadonlyMap<string, string>, start: string, last: string): string[] {
  const path = [start];
  for (let at: string | undefined = last; at !== undefined && at !== start; at = cameFrom.get(at))
    path.push(at);
  return [...path, start].reverse();
}

/** Tarjan's strongly connected components, those of more than one file and files that import themselves. */
function strongComponents(graph: Graph): Set<string>[] {
  const search = new Search(graph);
  for (const file of graph.keys()) if (!search.index.has(file)) search.visit(file);
  return search.found.filter(
    (component) => component.size > 1 || [...component].some((file) => graph.get(file)?.includes(file)),
  );
}

class Search {
  readonly index = new Map<string, number>();
  readonly found: Set<string>[] = [];
  readonly #graph: Graph;
  readonly #low = new Map<string, number>();
  readonly #stack: string[] = [];

  constructor(graph: Graph) {
    this.#graph = graph;
  }

  visit(file: string): void {
    this.index.set(file, this.index.size);
    this.#low.set(file, this.index.size - 1);
    this.#stack.push(file);
    for (const next of this.#graph.get(file) ?? []) {
      if (!this.index.has(next)) {
        this.visit(next);
        this.#lower(file, this.#low.get(next));
      } else if (this.#stack.includes(next)) {
        this.#lower(file, this.index.get(next));
      }
    }
    if (this.#low.get(file) === this.index.get(file)) {
      this.found.push(new Set(this.#stack.splice(this.#stack.indexOf(file))));
    }
  }

  #lower(file: string, to = Number.POSITIVE_INFINITY): void {
    this.#low.set(file, Math.min(this.#low.get(file) ?? to, to));
  }
}
