/** How long each function of a module is, under a name that survives edits elsewhere in the file. */
import type { SourceModule } from "./source-module.ts";
import { branches, child, isFunction, type Node, word } from "./syntax.ts";

export interface MeasuredFunction {
  /** `path#Class.method`, `path#outer.inner`; unique within the file. */
  readonly key: string;
  readonly at: string;
  readonly lines: number;
}

export function measureFunctions(module: SourceModule): MeasuredFunction[] {
  const found: MeasuredFunction[] = [];
  const seen = new Map<string, number>();
  measure(module.tree, [], undefined);
  return found;

  function measure(node: Node, path: readonly string[], given: string | undefined): void {
    const own = isFunction(node) || node.type === "ClassDeclaration" || node.type === "ClassExpression";
    const name = own ? (nameOf(node) ?? given ?? "anonymous") : undefined;
    const inner = name === undefined ? path : [...path, name];
    if (isFunction(node)) found.push(entry(node, inner.join(".")));
    for (const branch of branches(node)) measure(branch.node, inner, nameGivenBy(node, branch.field));
  }

  function entry(node: Node, name: string): MeasuredFunction {
    const times = (seen.get(name) ?? 0) + 1;
    seen.set(name, times);
    const key = `${module.path}#${name}${times === 1 ? "" : `:${times}`}`;
    const lines = module.lineOf(node.end) - module.lineOf(node.start) + 1;
    return { key, at: module.at(node), lines };
  }
}

function nameOf(node: Node): string | undefined {
  const id = child(node, "id");
  return id === undefined ? undefined : word(id, "name");
}

/** The name that a declaration, property or method gives to the function that is its value. */
function nameGivenBy(node: Node, field: string): string | undefined {
  if (field !== "value" && field !== "init") return undefined;
  const key = child(node, node.type === "VariableDeclarator" ? "id" : "key");
  if (key === undefined) return undefined;
  return word(key, "name") ?? word(key, "value");
}
