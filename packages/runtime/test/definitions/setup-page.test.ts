/** docs/setup.md has every key of `setup` and every option of `start`. That its program does what it says is held by `test/docs`. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { startOptionNames } from "../../src/node/start-options.ts";
import { configKeys } from "../../src/registry/config.ts";

const page = readFileSync(new URL("../../../../docs/setup.md", import.meta.url), "utf8");

test.each([
  ["Keys of `setup`", configKeys],
  ["Options of `start`", startOptionNames],
])("%s: each has a row, and there are no others", (title, names) => {
  const section = page.split(`## ${title}`)[1]?.split("\n## ")[0] ?? "";
  const rows = [...section.matchAll(/^\| `(\w+)` \|/gm)].map(([, name = ""]) => name);
  expect(rows.toSorted()).toEqual([...names].toSorted());
});
