/**
 * The identifiers of a module that no declaration in it binds, so that `const { crypto } = env` is told from the
 * global `crypto`.
 *
 * A scope is a function or the module: blocks count as part of their function. A name that is bound anywhere in a
 * function counts as bound in all of it, which is a little too lenient and never wrong the other way.
 */
import { branches, child, children, isFunction, type Node, word } from "./syntax.ts";

export function freeIdentifiers(program: Node): readonly Node[] {
  const free: Node[] = [];
  visit(program, [boundIn(program)], free);
  return free;
}

type Names = ReadonlySet<string>;

function visit(node: Node, scopes: readonly Names[], free: Node[]): void {
  if (node.declare === true) return;
  if (node.type === "Identifier") {
    const name = word(node, "name") ?? "";
    if (!scopes.some((scope) => scope.has(name))) free.push(node);
    return;
  }
  const inner = isFunction(node) ? [...scopes, boundIn(node)] : scopes;
  for (const branch of branches(node)) {
    if (!isName(node, branch.field) && !isType(branch.node)) visit(branch.node, inner, free);
  }
}

/** Fields that hold a name and not a value: `a.b`, `{ b: 1 }`, `label:`, `export { a as b }`. */
function isName(node: Node, field: string): boolean {
  switch (node.type) {
    case "MemberExpression":
      return field === "property" && node.computed === false;
    case "Property":
    case "MethodDefinition":
    case "PropertyDefinition":
    case "AccessorProperty":
      return field === "key" && node.computed === false;
    case "LabeledStatement":
    case "BreakStatement":
    case "ContinueStatement":
      return field === "label";
    case "MetaProperty":
      return true;
    case "ExportSpecifier":
      return field === "exported";
    case "ExportNamedDeclaration":
      return field === "specifiers" && child(node, "source") !== undefined;
    case "ImportDeclaration":
    case "ExportAllDeclaration":
      return true;
    default:
      return false;
  }
}

const typesWithValues = new Set([
  "TSAsExpression",
  "TSSatisfiesExpression",
  "TSNonNullExpression",
  "TSTypeAssertion",
]);

/** Types name no value at run time; the few TypeScript nodes that wrap an expression do. */
function isType(node: Node): boolean {
  return (
    node.type.startsWith("TS") && !typesWithValues.has(node.type) && node.type !== "TSInstantiationExpression"
  );
}

/** The names that `scope`, a function or the program, binds itself. */
function boundIn(scope: Node): Names {
  const names = new Set<string>();
  for (const parameter of children(scope, "params")) bind(parameter, names);
  const own = scope.type === "FunctionExpression" ? child(scope, "id") : undefined;
  if (own !== undefined) bind(own, names);
  collect(scope, names, true);
  return names;
}

function collect(node: Node, names: Set<string>, top: boolean): void {
  switch (node.type) {
    case "VariableDeclarator":
    case "FunctionDeclaration":
    case "ClassDeclaration":
    case "TSEnumDeclaration":
      bindField(node, "id", names, top);
      break;
    case "CatchClause":
      bindField(node, "param", names, top);
      break;
    case "ImportSpecifier":
    case "ImportDefaultSpecifier":
    case "ImportNamespaceSpecifier":
      bindField(node, "local", names, top);
      break;
  }
  // `declare const process` binds nothing at run time.
  if ((isFunction(node) && !top) || node.declare === true) return;
  for (const branch of branches(node)) collect(branch.node, names, false);
}

function bindField(node: Node, field: string, names: Set<string>, top: boolean): void {
  const pattern = child(node, field);
  // A function's own name belongs to the scope around it.
  if (pattern !== undefined && !top) bind(pattern, names);
}

/** Adds each name of a pattern: `a`, `{ a, b: c }`, `[a]`, `a = 1`, `...a`. */
function bind(pattern: Node, names: Set<string>): void {
  switch (pattern.type) {
    case "Identifier":
      names.add(word(pattern, "name") ?? "");
      break;
    case "ObjectPattern":
      for (const property of children(pattern, "properties")) bind(property, names);
      break;
    case "Property":
      for (const value of children(pattern, "value")) bind(value, names);
      break;
    case "ArrayPattern":
      for (const element of children(pattern, "elements")) bind(element, names);
      break;
    case "AssignmentPattern":
      for (const left of children(pattern, "left")) bind(left, names);
      break;
    case "RestElement":
      for (const argument of children(pattern, "argument")) bind(argument, names);
      break;
  }
}
