import { expect, test } from "vitest";
import { findIn, manifest } from "../fixture.ts";
import { cyclesCheck } from "./cycles.ts";

test("a cycle is shown with its way round", async () => {
  const files = {
    "sim/a.ts": 'import "./b.ts";',
    "sim/b.ts": 'export * from "./c.ts";',
    "sim/c.ts": 'import { a } from "./a.ts";',
    "sim/d.ts": 'import "./a.ts";',
  };
  expect(await findIn(cyclesCheck, files)).toEqual([
    "sim/a.ts: imports itself: sim/a.ts → sim/b.ts → sim/c.ts → sim/a.ts",
  ]);
});

test("a cycle through packages, and a file that imports itself, are found", async () => {
  const files = {
    "packages/base/package.json": manifest("@troupe/base"),
    "packages/base/src/index.ts": 'import "@troupe/client";',
    "packages/client/package.json": manifest("@troupe/client"),
    "packages/client/src/index.ts": 'import "@troupe/base";',
    "sim/a.ts": 'import "./a.ts";',
  };
  expect(await findIn(cyclesCheck, files)).toHaveLength(2);
});

test("types and later imports close no cycle", async () => {
  const files = {
    "sim/a.ts": 'import type { B } from "./b.ts"; export const later = () => import("./b.ts");',
    "sim/b.ts": 'import "./a.ts"; export type C = import("./b.ts").B;',
  };
  expect(await findIn(cyclesCheck, files)).toEqual([]);
});
