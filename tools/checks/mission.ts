/**
 * Promises against tests: each id of `mission-ids.ts` stands in a test's title, or in `mission-open.ts`, which may
 * only shrink. Both at once fails too: whoever proves an id takes it off the list.
 */
import type { Check, Problem } from "../check.ts";
import { mission } from "../mission-ids.ts";
import { missionOpen } from "../mission-open.ts";
import { previousText } from "../ratchet.ts";
import { isTest, type Repository } from "../repository.ts";
import { bare, child, children, descend, type Node, word } from "../syntax.ts";

const idsPath = "tools/mission-ids.ts";
const openPath = "tools/mission-open.ts";

export const missionCheck: Check = {
  name: "mission",
  remedy: `Name the id in the title of the test that proves it, and take it off ${openPath}; a test that proves a part says "S1.9 (in part)".`,
  find: (repository) => {
    const before = repository.has(openPath) ? previousText(repository, openPath) : undefined;
    return compare(
      Object.keys(mission),
      missionOpen,
      provenIds(repository),
      before === undefined ? undefined : idsIn(before),
    );
  },
};

/** Which ids are neither proved nor open, both, unknown, or newly declared open. */
export function compare(
  ids: readonly string[],
  open: readonly string[],
  proven: ReadonlyMap<string, string>,
  openBefore: readonly string[] | undefined,
): Problem[] {
  const problems: Problem[] = [];
  const report = (at: string, message: string) => problems.push({ at, message });
  for (const id of ids) {
    const at = proven.get(id);
    if (at === undefined && !open.includes(id)) report(idsPath, `no test names ${id}`);
    if (at !== undefined && open.includes(id))
      report(openPath, `${id} has a test now (${at}): take it off the list`);
  }
  for (const id of open) {
    if (!ids.includes(id)) report(openPath, `${id} is no id`);
    if (openBefore !== undefined && !openBefore.includes(id))
      report(openPath, `${id} was not open: the list may only shrink`);
  }
  for (const [id, at] of proven) if (!ids.includes(id)) report(at, `${id} is no id of ${idsPath}`);
  return problems;
}

/** The ids that a text claims, in order, each once. `S1.9 (in part)` claims nothing: the rest is still open. */
export function idsIn(text: string): string[] {
  return [...new Set(text.match(/\bS\d+\.\d+\b(?! \(in part\))/g) ?? [])];
}

/** Each id that a test's title names, with the place of the first such title. */
export function provenIds(repository: Repository): ReadonlyMap<string, string> {
  const proven = new Map<string, string>();
  // The tools' own tests speak of ids to try the tools out.
  for (const module of repository
    .modules()
    .filter(({ path }) => isTest(path) && !path.startsWith("tools/"))) {
    for (const node of descend(module.tree)) {
      for (const id of idsIn(titleOf(node))) if (!proven.has(id)) proven.set(id, module.at(node));
    }
  }
  return proven;
}

/** The title of `test(…)`, `it.skipIf(…)(…)`, `describe.each(…)(…)`; empty for anything else. */
function titleOf(node: Node): string {
  if (node.type !== "CallExpression" || !/^(test|it|describe)$/.test(calleeName(node))) return "";
  const title = bare(children(node, "arguments")[0]);
  if (title?.type === "TemplateLiteral") return children(title, "quasis").map(cooked).join(" ");
  return title?.type === "Literal" ? (word(title, "value") ?? "") : "";
}

function calleeName(node: Node): string {
  let callee = child(node, "callee");
  while (callee !== undefined && callee.type !== "Identifier") {
    callee = child(callee, callee.type === "MemberExpression" ? "object" : "callee");
  }
  return callee === undefined ? "" : (word(callee, "name") ?? "");
}

function cooked(quasi: Node): string {
  const value = quasi.value;
  return typeof value === "object" && value !== null && "cooked" in value ? String(value.cooked) : "";
}
