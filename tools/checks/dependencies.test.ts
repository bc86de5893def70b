import { expect, test } from "vitest";
import { findIn, manifest } from "../fixture.ts";
import { dependenciesCheck } from "./dependencies.ts";

const root = {
  "package.json": '{ "devDependencies": { "vitest": "1.0.0", "@types/ws": "1.0.0", "node": "24.0.0" } }',
};
const uses = { "sim/x.test.ts": 'import "vitest"; import "node:fs"; import "./y.ts"; import "ws";' };
const base = { "packages/base/package.json": manifest("@troupe/base"), "packages/base/src/index.ts": "" };
const client = { "packages/client/package.json": manifest("@troupe/client", ["@troupe/base", "ws"]) };
const clientSource = {
  "packages/client/src/index.ts": 'import type { A } from "@troupe/base"; import "ws/deep";',
};

test("declared and used dependencies pass", async () => {
  expect(await findIn(dependenciesCheck, { ...root, ...uses, ...base, ...client, ...clientSource })).toEqual(
    [],
  );
});

test("an import that its package doesn't declare is refused, even where the root declares it", async () => {
  const files = { ...root, ...uses, ...base, ...client, ...clientSource };
  const source = {
    "packages/base/src/index.ts": 'import "vitest";\nexport * from "@troupe/client";\nimport "fs";',
  };
  expect(await findIn(dependenciesCheck, { ...files, ...source })).toEqual([
    "packages/base/src/index.ts:1: imports vitest, which is not declared for it",
    "packages/base/src/index.ts:2: imports @troupe/client, which is not declared for it",
    "packages/base/src/index.ts:3: import fs as node:fs",
  ]);
});

test("a dependency that nothing imports is refused, in a package and in the root", async () => {
  const files = { ...root, ...base, ...client, "packages/client/src/index.ts": "" };
  expect(await findIn(dependenciesCheck, files)).toEqual([
    "packages/client/package.json: depends on @troupe/base, which its sources don't import",
    "packages/client/package.json: depends on ws, which its sources don't import",
    "package.json: depends on vitest, which nothing imports",
    "package.json: depends on @types/ws, which nothing imports",
  ]);
});

test("a range is refused", async () => {
  const files = { "package.json": '{ "devDependencies": { "node": "^24.0.0" } }' };
  expect(await findIn(dependenciesCheck, files)).toEqual(["package.json: node is not pinned: ^24.0.0"]);
});

test("a package under another name is pinned as well", async () => {
  const aliases = (version: string) => ({
    "package.json": `{ "devDependencies": { "node": "npm:@other/node@${version}" } }`,
  });
  expect(await findIn(dependenciesCheck, aliases("24.0.0"))).toEqual([]);
  expect(await findIn(dependenciesCheck, aliases("^24.0.0"))).toEqual([
    "package.json: node is not pinned: npm:@other/node@^24.0.0",
  ]);
});
