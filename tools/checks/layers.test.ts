import { expect, test } from "vitest";
import { findIn, manifest } from "../fixture.ts";
import { layersCheck } from "./layers.ts";

const packages = {
  "packages/base/package.json": manifest("@troupe/base"),
  "packages/base/src/index.ts": "export const a = 1;\n",
  "packages/client/package.json": manifest("@troupe/client"),
  "packages/client/src/index.ts": "",
  "packages/runtime/package.json": manifest("@troupe/runtime"),
  "packages/runtime/src/index.ts": "",
  "packages/troupe/package.json": manifest("troupe"),
};

test("imports that follow the arrows pass, also by type", async () => {
  const files = {
    ...packages,
    "packages/runtime/src/node/file.ts":
      'import { a } from "@troupe/base";\nimport type { P } from "../ports/port.ts";\n',
    "packages/runtime/src/ports/port.ts": 'export type { E } from "../errors.ts";\n',
    "packages/runtime/src/ports/memory/store.ts": 'import { c } from "../../storage/committer.ts";\n',
    "packages/client/test/x.test.ts": 'import { s } from "@troupe/runtime";\n',
  };
  expect(await findIn(layersCheck, files)).toEqual([]);
});

test.each([
  [
    "a package from a later layer",
    "packages/base/src/x.ts",
    'import "@troupe/client";',
    "base may not know client",
  ],
  [
    "a type from a later layer",
    "packages/base/src/x.ts",
    'import type { C } from "@troupe/client";',
    "base may not",
  ],
  [
    "a lazy import",
    "packages/base/src/x.ts",
    'export const x = () => import("@troupe/client");',
    "base may not",
  ],
  [
    "a package by path",
    "packages/client/src/x.ts",
    'import "../../base/src/index.ts";',
    "imported by their name",
  ],
  [
    "an entry that is not exported",
    "packages/client/src/x.ts",
    'import "@troupe/base/deep";',
    "not in the exports",
  ],
  ["a test from a source", "packages/base/src/x.ts", 'import "../test/x.ts";', "not published"],
  ["an actor from an adapter", "packages/runtime/src/node/x.ts", 'import "../actor/a.ts";', "sees ports"],
  [
    "an implementation from a port",
    "packages/runtime/src/ports/x.ts",
    'import "../storage/s.ts";',
    "a port is what",
  ],
  [
    "a kind from the gateway",
    "packages/runtime/src/gateway/x.ts",
    'import "../actor/a.ts";',
    "no kind of actor",
  ],
  ["an adapter from the core", "packages/runtime/src/actor/x.ts", 'import "../node/n.ts";', "by constructor"],
  [
    "a part from an example",
    "examples/a/server.ts",
    'import "@troupe/runtime";',
    'examples use "troupe" alone',
  ],
  [
    "the server from troupe/client",
    "packages/troupe/src/client.ts",
    'export { s } from "@troupe/runtime";',
    "a browser",
  ],
  ["code of troupe's own", "packages/troupe/src/x.ts", "export const x = 1;", "only names of other packages"],
  ["a package without a layer", "packages/stray/package.json", manifest("@troupe/stray"), "has no layer"],
])("%s is refused", async (_, path, text, message) => {
  expect(await findIn(layersCheck, { ...packages, [path]: text })).toEqual([
    expect.stringContaining(message),
  ]);
});
