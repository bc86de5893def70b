import { expect, test } from "vitest";
import { fixture } from "../fixture.ts";
import { mission } from "../mission-ids.ts";
import { missionOpen } from "../mission-open.ts";
import { compare, idsIn, provenIds } from "./mission.ts";

test("titles of tests prove ids: plain, in a describe, skippable, templates; nothing else does", () => {
  using repository = fixture({
    "sim/a.test.ts": [
      'test("S1.1 and S1.2: two at once", () => {});',
      'describe("S1.3", () => { it.skipIf(x)("inner", () => {}); });',
      "test.each([1])(`S3.10 %s\\n S3.11`, () => {});",
      'f("S4.1"); const x = "S4.2"; // S4.3',
    ].join("\n"),
    "sim/b.ts": 'test("S5.1", () => {});',
    "tools/c.test.ts": 'test("S5.2", () => {});',
  });
  expect([...provenIds(repository)]).toEqual([
    ["S1.1", "sim/a.test.ts:1"],
    ["S1.2", "sim/a.test.ts:1"],
    ["S1.3", "sim/a.test.ts:2"],
    ["S3.10", "sim/a.test.ts:3"],
    ["S3.11", "sim/a.test.ts:3"],
  ]);
});

test("every id is proved or open, not both, and open ids only go", () => {
  const proven = new Map([
    ["S1.1", "a:1"],
    ["S1.2", "a:2"],
    ["S9.9", "a:3"],
  ]);
  expect(
    compare(["S1.1", "S1.2", "S1.3", "S1.4"], ["S1.2", "S1.4", "S8.8"], proven, ["S1.2", "S8.8"]),
  ).toEqual([
    { at: "tools/mission-open.ts", message: "S1.2 has a test now (a:2): take it off the list" },
    { at: "tools/mission-ids.ts", message: "no test names S1.3" },
    { at: "tools/mission-open.ts", message: "S1.4 was not open: the list may only shrink" },
    { at: "tools/mission-open.ts", message: "S8.8 is no id" },
    { at: "a:3", message: "S9.9 is no id of tools/mission-ids.ts" },
  ]);
  expect(compare(["S1.1"], [], new Map([["S1.1", "a:1"]]), undefined)).toEqual([]);
});

test("the tables name ids as they are read", () => {
  const ids = [...Object.keys(mission), ...missionOpen];
  expect(ids.filter((id) => idsIn(id)[0] !== id)).toEqual([]);
  expect(idsIn("S3.10 and S1.9 (in part), S1.9 (in part): golden values; S2.1")).toEqual(["S3.10", "S2.1"]);
});
