/** The page's table of errors, and the codes that there are: neither has one that the other lacks. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

const root = join(import.meta.dirname, "../../../..");
const read = (path: string): string => readFileSync(join(root, path), "utf8");

/** Codes of the group `plugin` that a text has, by a pattern whose first group is the code. */
const codesIn = (text: string, pattern: RegExp): Set<string> =>
  new Set([...text.matchAll(pattern)].map(([, code = ""]) => code));

test("docs/plugins/native.md names every error of the native carrier, and none that there isn't", () => {
  const [, table = ""] = read("docs/plugins/native.md").split("## What can be wrong");
  const told = codesIn(table.split("\n## ")[0] ?? "", /`plugin\.([a-z_]+)`/g);
  const carriers = codesIn(read("packages/plugins/src/carriers/native/errors.ts"), /error\(\s*"([a-z_]+)"/g);
  const shared = codesIn(read("packages/plugins/src/errors.ts"), /error\(\s*"([a-z_]+)"/g);
  const sdks = codesIn(
    ["src/error.rs", "src/call.rs"].map((file) => read(`sdks/rust/troupe-plugin/${file}`)).join("\n"),
    /"plugin", "([a-z_]+)"/g,
  );
  // What `pluginActor` is given wrongly is no error of a library.
  expect([...carriers].filter((code) => code !== "bad_option" && !told.has(code))).toEqual([]);
  expect([...told].filter((code) => ![carriers, shared, sdks].some((codes) => codes.has(code)))).toEqual([]);
  // The same whichever process the library is opened in.
  const carried = codesIn(
    read("packages/plugins/src/carriers/worker/library-failure.ts"),
    /^ {2}"([a-z_]+)",$/gm,
  );
  expect([...carriers].filter((code) => !["bad_option", "broken"].includes(code)).sort()).toEqual(
    [...carried].sort(),
  );
});
