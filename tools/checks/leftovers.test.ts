import { expect, test } from "vitest";
import { findIn } from "../fixture.ts";
import { leftoversCheck } from "./leftovers.ts";

const later = "TO".concat("DO");

test.each([
  ["sim/a.ts", `// ${later}: this`, "a note to self"],
  ["sim/a.ts", "/** FIXME */ export const a = 1;", "a note to self"],
  ["docs/a.md", `text\n${later}`, "docs/a.md:2: a note to self"],
  ["sim/a.ts", "// const x = f();\n", "commented-out code"],
  ["sim/a.ts", "//   if (x) {\n//   }\n", "commented-out code"],
  ["sim/utils/a.ts", "", '"utils" says nothing'],
  ["sim/helper.ts", "", '"helper" says nothing'],
  ["sim/Common.test.ts", "", '"Common" says nothing'],
])("in %s: %s", async (path, text, message) => {
  expect(await findIn(leftoversCheck, { [path]: text })).toEqual([expect.stringContaining(message)]);
});

test("strings, prose and names with a meaning pass", async () => {
  const files = {
    "sim/common-case.ts": `export const a = "${later}";\n// If it waits, it is held; return to sender.\n// for each of them:\n`,
  };
  expect(await findIn(leftoversCheck, files)).toEqual([]);
});
