/** What many stand behind stays small: a port of the house has few members, and whoever implements it all of them. */
import type { Check, Problem } from "../check.ts";
import type { SourceModule } from "../source-module.ts";
import { child, children, type Node, word } from "../syntax.ts";

const PORTS = "packages/runtime/src/ports/";
/** Members of any interface there. */
const MOST = 15;
/** Those that may have fewer. */
const FEWER: ReadonlyMap<string, number> = new Map([["ActorInstance", 10]]);

export const contractsCheck: Check = {
  name: "contracts",
  remedy:
    "Merge members, or move some to where they are asked for: whatever implements a port has to have them all.",
  find: (repository) =>
    repository
      .sources()
      .filter(({ path }) => path.startsWith(PORTS))
      .flatMap(tooLarge),
};

function tooLarge(module: SourceModule): Problem[] {
  return children(module.tree, "body").flatMap((statement) => {
    const declaration = child(statement, "declaration") ?? statement;
    if (declaration.type !== "TSInterfaceDeclaration") return [];
    const name = nameOf(declaration);
    const most = FEWER.get(name) ?? MOST;
    const body = child(declaration, "body");
    const { size } = new Set(body === undefined ? [] : children(body, "body").map(memberOf));
    return size > most
      ? [{ at: module.at(statement), message: `${name} has ${size} members; ${most} at most` }]
      : [];
  });
}

function nameOf(declaration: Node): string {
  const id = child(declaration, "id");
  return (id === undefined ? undefined : word(id, "name")) ?? "an interface";
}

/** Overloads are one member. */
function memberOf(member: Node): string | Node {
  const key = child(member, "key");
  return (key === undefined ? undefined : word(key, "name")) ?? member;
}
