/** `troupe plugins new`, and what it refuses. That what it makes builds and works: `conformance/plugin/templates.test.ts`. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Troupe } from "../support/troupe.ts";

test("a folder that is there isn't written into; a name and a language are what they must be", async () => {
  using troupe = new Troupe();
  mkdirSync(join(troupe.project, "mine"));
  expect(await troupe.refused("new", "mine", "--lang", "c")).toBe("config.folder_exists");
  expect(await troupe.refused("new", "../mine", "--lang", "c")).toBe("config.bad_plugin_name");
  expect(await troupe.refused("new", "other", "--lang", "cobol")).toBe("config.bad_language");
  expect(await troupe.refused("new", "other", "--lang", "constructor")).toBe("config.bad_language");
});
