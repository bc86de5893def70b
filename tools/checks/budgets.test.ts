import { expect, test } from "vitest";
import { findIn } from "../fixture.ts";
import { budgetsCheck } from "./budgets.ts";

const file = (lines: number) => "// line\n".repeat(lines);
const long = (lines: number, head = "function f() {") => `${head}\n${"  // line\n".repeat(lines - 2)}}\n`;
const list = (files: object, functions: object = {}) => ({
  "tools/budget-list.json": JSON.stringify({ files, functions }),
});

test("files and functions within their budgets pass", async () => {
  expect(await findIn(budgetsCheck, { "sim/a.ts": file(400), "sim/b.ts": long(70) })).toEqual([]);
});

test("what is too long fails, unless it is listed with its length", async () => {
  const files = { "sim/a.ts": file(401), "sim/b.ts": long(71) };
  expect(await findIn(budgetsCheck, files)).toEqual([
    "sim/a.ts: sim/a.ts has 401 lines, the budget is 400",
    "sim/b.ts:1: sim/b.ts#f has 71 lines, the budget is 70",
  ]);
  expect(
    await findIn(budgetsCheck, { ...files, ...list({ "sim/a.ts": 401 }, { "sim/b.ts#f": 71 }) }),
  ).toEqual([]);
});

test("what is listed may not grow, and its number follows it down", async () => {
  const listed = list({ "sim/a.ts": 450, "sim/gone.ts": 500 }, { "sim/b.ts#A.m": 80 });
  const files = { ...listed, "sim/a.ts": file(460), "sim/b.ts": `class A {\n${long(75, "m() {")}}` };
  expect(await findIn(budgetsCheck, files)).toEqual([
    "sim/a.ts: grew from 450 to 460 lines",
    "tools/budget-list.json: sim/gone.ts keeps the budget now: take it off the list",
    "tools/budget-list.json: sim/b.ts#A.m has 75 lines now: lower its 80",
  ]);
});

test("no list helps past the ceiling, and tests and the table of limits have no other budget", async () => {
  const table = "packages/protocol/src/limits.ts";
  expect(await findIn(budgetsCheck, { [table]: file(700) })).toEqual([]);
  const files = { "sim/a.ts": file(701), "sim/a.test.ts": long(700), "sim/b.test.ts": long(701) };
  expect(await findIn(budgetsCheck, { ...files, ...list({ "sim/a.ts": 701 }) })).toEqual([
    "sim/a.ts: sim/a.ts has 701 lines, the budget is 700",
    "sim/b.test.ts: sim/b.test.ts has 701 lines, the budget is 700",
  ]);
});

test("functions are named by where they stand", async () => {
  const body = `{\n${"// line\n".repeat(70)}}`;
  const text = `const f = () => ${body};\nclass A { m() ${body} }\nconst o = { p: function () ${body} };\ng(() => ${body});\n`;
  const found = await findIn(budgetsCheck, { "sim/a.ts": text });
  expect(found.map((line) => /#(\S+)/.exec(line)?.[1])).toEqual(["f", "A.m", "p", "anonymous"]);
});
