/** docs/options.md shows each option in use. That its program prints what the page says is held by `docs.test.ts`. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

const page = readFileSync(new URL("../../docs/options.md", import.meta.url), "utf8");
const program = [...page.matchAll(/^```ts\n(.*?)^```/gms)].map(([, code = ""]) => code).join("\n");
/** Every row of the page's tables: `options-walk.test.ts` holds that these are all options. */
const options = [...page.matchAll(/^\| `(\w+)` \|/gm)].map(([, name = ""]) => name);

test("each option of an actor stands in a program of the page", () => {
  expect(options.length).toBeGreaterThan(30);
  const unused = options.filter((name) => !new RegExp(`\\b${name}:`).test(program));
  expect(unused).toEqual([]);
});
