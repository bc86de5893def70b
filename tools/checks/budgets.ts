/**
 * Budgets: how long a file and a function may be. What is longer stands in `tools/budget-list.json` with its length;
 * that list may only shrink. Tests, each one long story, and the one table of all limits have the ceiling for files alone.
 */
import type { Check, Problem } from "../check.ts";
import { type MeasuredFunction, measureFunctions } from "../function-lengths.ts";
import { previousText } from "../ratchet.ts";
import { isGenerated, isTest, type Repository } from "../repository.ts";

const fileLimit = 400;
const fileCeiling = 700;
const functionLimit = 70;
const table = "packages/protocol/src/limits.ts";
const listPath = "tools/budget-list.json";

interface BudgetList {
  readonly files: Lengths;
  readonly functions: Lengths;
}

type Lengths = Readonly<Record<string, number>>;

export const budgetsCheck: Check = {
  name: "budgets",
  remedy: `Split it by its nouns; when something listed became shorter, lower its number in ${listPath}.`,
  find: (repository) => {
    const list = readList(repository.has(listPath) ? repository.text(listPath) : undefined);
    const before = readList(repository.has(listPath) ? previousText(repository, listPath) : undefined);
    const { files, functions } = measure(repository);
    return [
      ...files.filter((file) => file.lines > fileCeiling).map((file) => tooLong(file, fileCeiling)),
      ...compare(
        files.filter((file) => !isTest(file.at) && file.at !== table),
        list?.files ?? {},
        fileLimit,
      ),
      ...compare(functions, list?.functions ?? {}, functionLimit),
      ...grown(list?.files ?? {}, before?.files),
      ...grown(list?.functions ?? {}, before?.functions),
    ];
  },
};

function measure(repository: Repository): { files: MeasuredFunction[]; functions: MeasuredFunction[] } {
  const code = repository
    .files()
    .filter((path) => /\.(tsx?|mjs|c|h|rs|py)$/.test(path) && !isGenerated(path) && repository.has(path));
  const files = code.map((path) => {
    const lines = repository.text(path).split("\n").length - 1;
    return { key: path, at: path, lines };
  });
  const functions = repository
    .modules()
    .filter((module) => !isTest(module.path))
    .flatMap(measureFunctions);
  return { files, functions };
}

function compare(found: readonly MeasuredFunction[], list: Lengths, limit: number): Problem[] {
  const long = new Map(found.filter((entry) => entry.lines > limit).map((entry) => [entry.key, entry]));
  const problems = [...long.values()].flatMap((entry) => {
    const listed = list[entry.key];
    if (listed === undefined) return [tooLong(entry, limit)];
    if (entry.lines > listed)
      return [{ at: entry.at, message: `grew from ${listed} to ${entry.lines} lines` }];
    if (entry.lines === listed) return [];
    return [{ at: listPath, message: `${entry.key} has ${entry.lines} lines now: lower its ${listed}` }];
  });
  const stale = Object.keys(list)
    .filter((key) => !long.has(key))
    .map((key) => ({ at: listPath, message: `${key} keeps the budget now: take it off the list` }));
  return [...problems, ...stale];
}

function tooLong(entry: MeasuredFunction, limit: number): Problem {
  return { at: entry.at, message: `${entry.key} has ${entry.lines} lines, the budget is ${limit}` };
}

function grown(list: Lengths, before: Lengths | undefined): Problem[] {
  if (before === undefined) return [];
  return Object.entries(list)
    .filter(([key, lines]) => lines > (before[key] ?? 0))
    .map(([key]) => ({ at: listPath, message: `${key} is new or higher: the list may only shrink` }));
}

function readList(text: string | undefined): BudgetList | undefined {
  return text === undefined ? undefined : JSON.parse(text);
}
