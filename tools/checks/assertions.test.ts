import { expect, test } from "vitest";
import { findIn } from "../fixture.ts";
import { assertionsCheck } from "./assertions.ts";

test.each([
  ["export const x = y as any;", "to `any`"],
  ["export const x = <any>y;", "to `any`"],
  ["export const x = y as unknown as Z;", "double"],
  ["export const x = ((y as never) as Z);", "double"],
  ["// @ts-ignore\nexport const x: Z = y;", "@ts-ignore"],
  ["/* @ts-nocheck */\nexport const x: Z = y;", "@ts-nocheck"],
  ["// @ts-expect-error: really\nexport const x: Z = y;", "@ts-expect-error"],
])("%s is refused", async (text, message) => {
  expect(await findIn(assertionsCheck, { "packages/base/src/x.ts": text })).toEqual([
    expect.stringContaining(message),
  ]);
});

test("narrowing, constants, tests that expect an error and mere words pass", async () => {
  const files = {
    "packages/base/src/x.ts":
      'export const x = { a: y as Z, b: (["q"] as const) as Z, c: "y as any" };\n// As @ts-ignore.\n',
    "packages/base/test/x.test.ts": "// @ts-expect-error: a string\nf(1);\n",
  };
  expect(await findIn(assertionsCheck, files)).toEqual([]);
});
