import { expect, test } from "vitest";
import { findIn } from "../fixture.ts";
import { lockfileCheck } from "./lockfile.ts";

const find = (packages: object) =>
  findIn(lockfileCheck, {
    "package.json": '{ "allowScripts": { "node": true } }',
    "package-lock.json": JSON.stringify({ packages }),
  });

test("versions and digests pass, and so do links to workspaces", async () => {
  const packages = {
    "": { name: "root" },
    "packages/base": { version: "0.1.0" },
    "node_modules/@troupe/base": { resolved: "packages/base", link: true },
    "node_modules/a": { version: "1.0.0", integrity: "sha512-x" },
  };
  expect(await find(packages)).toEqual([]);
});

test("an address, a missing digest and an unread install script are refused", async () => {
  const packages = {
    "node_modules/a": { integrity: "sha512-x", resolved: "https://registry.invalid/a.tgz" },
    "node_modules/b": {},
    "node_modules/c": { integrity: "sha512-x", hasInstallScript: true },
    "node_modules/node": { integrity: "sha512-x", hasInstallScript: true },
  };
  expect(await find(packages)).toEqual([
    "package-lock.json: node_modules/a names an address",
    "package-lock.json: node_modules/b has no digest",
    expect.stringContaining("node_modules/c has an install script"),
  ]);
});
