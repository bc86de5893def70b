/** The limits that the SDKs keep are the runtime's, whatever language they are written down in. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { engineLimits, limits } from "@troupe/protocol";
import { expect, test } from "vitest";

const sdks = join(import.meta.dirname, "../../../../sdks");

test.for([
  ["rust/troupe-plugin/src/limits.rs", /pub const ([A-Z_]+): usize = ([\d_]+);/g],
  ["c/src/troupe_limits.h", /const size_t ([A-Z_]+) = ([\d]+);/g],
  ["python/troupe_plugin/limits.py", /^([A-Z_]+) = ([\d_]+)$/gm],
] as const)("%s has what limits.ts has", ([file, pattern]) => {
  const text = readFileSync(join(sdks, file), "utf8");
  const found = [...text.matchAll(pattern)].map(([, name = "", value = ""]) => [
    name.toLowerCase().replace(/_./g, ([, letter = ""]) => letter.toUpperCase()),
    Number(value.replaceAll("_", "")),
  ]);
  expect(found.length).toBeGreaterThan(1);
  expect({ ...limits, ...engineLimits }).toMatchObject(Object.fromEntries(found));
});
