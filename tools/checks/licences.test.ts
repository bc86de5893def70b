import { expect, test } from "vitest";
import { findIn } from "../fixture.ts";
import { licencesCheck, permits } from "./licences.ts";

const find = (packages: object, more = {}) =>
  findIn(licencesCheck, { "package-lock.json": JSON.stringify({ packages }), ...more });

test("known licences pass, one for tools only for tools", async () => {
  const packages = {
    "node_modules/a": { license: "MIT" },
    "node_modules/b": { license: "MPL-2.0", dev: true },
    "node_modules/c": {},
    "node_modules/@troupe/base": { link: true },
  };
  expect(await find(packages, { "node_modules/c/package.json": '{ "license": "ISC" }' })).toEqual([]);
});

test("an unknown licence, none, and a tools' licence in the product are refused", async () => {
  const packages = {
    "node_modules/a": { license: "GPL-3.0-only" },
    "node_modules/b": {},
    "node_modules/c": { license: "MPL-2.0" },
  };
  expect(await find(packages)).toEqual([
    "package-lock.json: node_modules/a is under GPL-3.0-only, which is not on the list",
    "package-lock.json: node_modules/b states no licence",
    "package-lock.json: node_modules/c is under MPL-2.0, which is not on the list",
  ]);
});

test.each([
  ["MIT", true],
  ["(GPL-3.0 OR MIT)", true],
  ["MIT AND GPL-3.0", false],
  ["MIT AND (ISC OR GPL-3.0)", true],
  ["(MIT AND GPL-3.0) OR GPL-2.0", false],
  ["(MIT OR GPL-3.0) AND (GPL-2.0 OR ISC)", true],
  ["(MIT OR GPL-3.0) AND (GPL-2.0 OR GPL-3.0)", false],
  ["(MIT", false],
  ["UNLICENSED", false],
  ["SEE LICENSE IN x", false],
  ["", false],
])("%s: %s", (expression, permitted) => {
  expect(permits(expression, (id) => ["MIT", "ISC"].includes(id))).toBe(permitted);
});
