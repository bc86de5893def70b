/** No type assertion that switches the compiler off, and no comment that does. */
import type { Check, Problem } from "../check.ts";
import { isTest } from "../repository.ts";
import type { SourceModule } from "../source-module.ts";
import { bare, child, descend, type Node } from "../syntax.ts";

export const assertionsCheck: Check = {
  name: "assertions",
  remedy: "Give the value its real type: a guard, a generic or a narrower interface.",
  find: (repository) => repository.modules().flatMap((module) => [...casts(module), ...suppressions(module)]),
};

function casts(module: SourceModule): Problem[] {
  return [...descend(module.tree)].flatMap((node) => {
    const message = castProblem(node);
    return message === undefined ? [] : [{ at: module.at(node), message }];
  });
}

function castProblem(node: Node): string | undefined {
  if (!isCast(node) || isConst(node)) return undefined;
  if (child(node, "typeAnnotation")?.type === "TSAnyKeyword") return "an assertion to `any`";
  const inner = bare(child(node, "expression"));
  return inner !== undefined && isCast(inner) && !isConst(inner) ? "a double type assertion" : undefined;
}

function isCast(node: Node): boolean {
  return node.type === "TSAsExpression" || node.type === "TSTypeAssertion";
}

/** `as const` narrows and asserts nothing. */
function isConst(node: Node): boolean {
  const type = child(node, "typeAnnotation");
  const name = type === undefined ? undefined : child(type, "typeName");
  return name?.name === "const";
}

/** `@ts-expect-error` is for tests: there it proves that a type refuses something. */
function suppressions(module: SourceModule): Problem[] {
  const banned = isTest(module.path)
    ? /^[\s*/]*@ts-(ignore|nocheck)/
    : /^[\s*/]*@ts-(ignore|nocheck|expect-error)/;
  return module.comments.flatMap((comment) => {
    const found = banned.exec(comment.value);
    return found === null
      ? []
      : [{ at: module.at(comment), message: `suppresses the compiler: @ts-${found[1]}` }];
  });
}
