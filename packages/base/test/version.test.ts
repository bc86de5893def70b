import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { TROUPE_VERSION } from "../src/version.ts";

test("the version that plugins and users are told is that of the package", () => {
  const manifest: unknown = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
  expect(manifest).toMatchObject({ version: TROUPE_VERSION });
});
