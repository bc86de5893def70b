/** Walks a syntax tree that oxc made, without a type per kind of node: the checks look at a handful of kinds. */
import { visitorKeys } from "oxc-parser";

/** A node of the tree. Fields differ by `type`; `child`, `children` and `word` read them safely. */
export interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [field: string]: unknown;
}

export function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && "type" in value && typeof value.type === "string";
}

/** The node in `field`, if there is one. */
export function child(node: Node, field: string): Node | undefined {
  const value = node[field];
  return isNode(value) ? value : undefined;
}

/** The nodes in `field`, whether it holds one, a list or none. */
export function children(node: Node, field: string): readonly Node[] {
  const value = node[field];
  if (Array.isArray(value)) return value.filter(isNode);
  return isNode(value) ? [value] : [];
}

/** The string in `field`, if there is one. */
export function word(node: Node, field: string): string | undefined {
  const value = node[field];
  return typeof value === "string" ? value : undefined;
}

/** Every child of `node`, in the order of the source. */
export function* branches(node: Node): Generator<{ readonly field: string; readonly node: Node }> {
  for (const field of visitorKeys[node.type] ?? []) {
    for (const inner of children(node, field)) yield { field, node: inner };
  }
}

/** `node` and everything below it, parents first. */
export function* descend(node: Node): Generator<Node> {
  yield node;
  for (const branch of branches(node)) yield* descend(branch.node);
}

const functionTypes = new Set(["FunctionDeclaration", "FunctionExpression", "ArrowFunctionExpression"]);

export function isFunction(node: Node): boolean {
  return functionTypes.has(node.type);
}

/** The expression inside any number of parentheses. */
export function bare(node: Node | undefined): Node | undefined {
  let inner = node;
  while (inner?.type === "ParenthesizedExpression") inner = child(inner, "expression");
  return inner;
}
