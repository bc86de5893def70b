import { expect, test } from "vitest";
import { findIn } from "../fixture.ts";
import { syntaxCheck } from "./syntax.ts";

test("a file that does not parse is found, and one that does passes", async () => {
  const files = { "sim/a.ts": "export const a: number = 1;", "sim/b.ts": "export const = ;" };
  expect(await findIn(syntaxCheck, files)).toEqual([expect.stringMatching(/^sim\/b\.ts: does not parse: ./)]);
});
