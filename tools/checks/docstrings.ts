/** Every name that a source file exports has a docstring right before it. What is exported onward has its own. */
import type { Check, Problem } from "../check.ts";
import type { SourceModule } from "../source-module.ts";
import { child, children, type Node, word } from "../syntax.ts";

export const docstringsCheck: Check = {
  name: "docstrings",
  remedy: "Say in /** … */ what it is for, with units, defaults and errors; an unneeded export goes.",
  find: (repository) => repository.sources().flatMap(undocumented),
};

function undocumented(module: SourceModule): Problem[] {
  const documented = new Set<string>();
  const problems: Problem[] = [];
  for (const statement of children(module.tree, "body")) {
    for (const name of exportedNames(statement)) {
      // The first overload or half of a merged declaration speaks for all.
      if (hasDocstring(module, statement)) documented.add(name);
      if (!documented.has(name))
        problems.push({ at: module.at(statement), message: `${name} has no docstring` });
    }
  }
  return problems;
}

function exportedNames(statement: Node): string[] {
  if (statement.type === "ExportDefaultDeclaration") return ["the default export"];
  const declaration = child(statement, "declaration");
  if (statement.type !== "ExportNamedDeclaration" || declaration === undefined) return [];
  if (declaration.type !== "VariableDeclaration") return [nameOf(declaration)];
  return children(declaration, "declarations").map(nameOf);
}

function nameOf(declaration: Node): string {
  const id = child(declaration, "id");
  return (id === undefined ? undefined : word(id, "name")) ?? "an export";
}

/** A docstring stands right before its statement; only line comments (a lint exception) may come between. */
function hasDocstring(module: SourceModule, statement: Node): boolean {
  let end = statement.start;
  for (const comment of module.comments.filter((found) => found.end <= statement.start).reverse()) {
    if (module.text.slice(comment.end, end).trim() !== "") return false;
    if (comment.type === "Block") return comment.value.startsWith("*") && /\w/.test(comment.value);
    end = comment.start;
  }
  return false;
}
