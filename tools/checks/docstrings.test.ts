import { expect, test } from "vitest";
import { findIn } from "../fixture.ts";
import { docstringsCheck } from "./docstrings.ts";

const undocumented = async (text: string) =>
  (await findIn(docstringsCheck, { "packages/base/src/x.ts": text })).map((line) =>
    line.replace(/^.*?: /, ""),
  );

test.each([
  ["export const limits = { a: 1 };", "limits"],
  ["export function f() {}", "f"],
  ["export class A {}", "A"],
  ["export interface I {}", "I"],
  ["export type T = 1;", "T"],
  ["export default 1;", "the default export"],
  ["/* not a docstring */\nexport const a = 1;", "a"],
  ["/** */\nexport const a = 1;", "a"],
  ["/** Of the file. */\nimport 'x';\nexport const a = 1;", "a"],
])("%s", async (text, name) => {
  expect(await undocumented(text)).toEqual([`${name} has no docstring`]);
});

test("documented names, all overloads of one, merged halves, locals and re-exports pass", async () => {
  const text = `
    /** Adds. */
    export function f(a: 1): 1;
    export function f(a: 2): 2;
    export function f(a: number) { return a; }
    /** Limits. */
    // biome-ignore lint/x: a reason
    export const limits = { a: 1 };
    export type limits = 1;
    export { g } from "./g.ts";
    export * from "./h.ts";
    const local = 1;
    export { local };`;
  expect(await undocumented(text)).toEqual([]);
});

test("tests, tools and examples are not asked", async () => {
  const text = "export const a = 1;";
  expect(await findIn(docstringsCheck, { "sim/a.ts": text, "packages/base/test/a.ts": text })).toEqual([]);
});
