/** What tests and templates say of Troupe's version is what the package says: a release changes one file. */
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { TROUPE_VERSION } from "@troupe/base";
import semver from "semver";
import { expect, test } from "vitest";

const root = join(import.meta.dirname, "../../../..");

function found(...patterns: readonly string[]): string[] {
  return globSync([...patterns], { cwd: root }).filter((path) => !/node_modules|dist/.test(path));
}

test("S5.7 no fixture and no template has a version of Troupe's of its own", () => {
  const files = found(
    "packages/*/test/**/*.{ts,toml,json}",
    "packages/cli/templates/**/*.toml",
    "conformance/**/*.{ts,toml}",
    "examples/**/*.{ts,toml}",
  );
  expect(files.length).toBeGreaterThan(100);
  const ranges = files.flatMap((file) => {
    const lines = readFileSync(join(root, file), "utf8").matchAll(/^\s*troupe = "([^"]*)"/gm);
    return Array.from(lines, ([, range = ""]) => ({ file, range }));
  });
  expect(ranges.length).toBeGreaterThan(5);
  const own = ranges.filter(({ range }) => range !== "*" && !/\$\{|__RANGE__/.test(range));
  expect(own).toEqual([]);
});

test("S5.7 all packages have one version, which is a version", () => {
  expect(semver.valid(TROUPE_VERSION)).toBe(TROUPE_VERSION);
  for (const file of found("packages/*/package.json")) {
    const { version }: { readonly version: string } = JSON.parse(readFileSync(join(root, file), "utf8"));
    expect([file, version]).toEqual([file, TROUPE_VERSION]);
  }
});
