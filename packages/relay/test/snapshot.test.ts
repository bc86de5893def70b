/** What a value said at one moment, and whether it says so still. */
import { expect, test } from "vitest";
import { saysTheSame, snapshot } from "../src/calls/snapshot.ts";

const values: readonly string[] = [
  '{"__proto__":{"a":[1]},"toString":2,"constructor":{"x":null}}',
  '[[],[{}],{"a":[]},"text",null,-1.5]',
  `{"deep":${"[".repeat(500)}1${"]".repeat(500)}}`,
];

test.each(values)("a copy says the same, until something in it is edited (%#)", (json) => {
  const value: unknown = JSON.parse(json);
  const copy = snapshot(value);
  expect(JSON.stringify(copy)).toBe(json);
  expect([saysTheSame(value, copy), saysTheSame(copy, value)]).toEqual([true, true]);
  const edited: unknown = JSON.parse(json.replace(/1(?=\D)|null/, '"other"'));
  expect([saysTheSame(edited, copy), saysTheSame(copy, edited)]).toEqual([false, false]);
  expect(JSON.stringify(value)).toBe(json);
});

test.each<readonly [one: unknown, other: unknown, same: boolean]>([
  [{ a: undefined }, {}, true],
  [{ a: null }, {}, false],
  [[1], [1, 2], false],
  [[1, undefined], [1], true],
  [[], {}, false],
  [{ toString: 1 }, {}, false],
  [new Date(0), new Date(0), true],
  [new Date(0), new Date(1), false],
  [0, -0, false],
])("%j and %j say the same: %j", (one, other, same) => {
  expect([saysTheSame(one, other), saysTheSame(other, one)]).toEqual([same, same]);
});

test("what refers to itself is copied as it is, and a copy of a list with a million elements is one", () => {
  const loop: Record<string, unknown> = { list: Array.from({ length: 1_000_000 }, (_, n) => n) };
  loop["self"] = loop;
  const copy = snapshot(loop);
  expect(saysTheSame(loop, copy)).toBe(true);
  loop["list"] = [];
  expect(saysTheSame(loop, copy)).toBe(false);
});
