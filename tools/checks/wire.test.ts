import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { command } from "../command.ts";
import { type Fixture, fixture } from "../fixture.ts";
import { wireCheck } from "./wire.ts";

const buf = fileURLToPath(new URL("../../node_modules/.bin/buf", import.meta.url));
const settings = "version: v2\nmodules:\n  - path: schemas\nbreaking:\n  use:\n    - WIRE\n";
const contract = (fields: string) => `syntax = "proto3";\npackage a.v1;\nmessage A {\n${fields}\n}\n`;
const before = "  string name = 1;\n  uint32 size = 2;";

/** A repository whose contract was released with `before`, and has `fields` now. */
async function released(fields: string): Promise<Fixture> {
  const repository = fixture({
    "packages/protocol/buf.yaml": settings,
    "packages/protocol/schemas/a.proto": contract(before),
  });
  const cwd = join(repository.root, "packages/protocol");
  expect(await command(buf, ["build", "-o", "released.txtpb"], { cwd })).toMatchObject({ status: 0 });
  repository.write("packages/protocol/schemas/a.proto", contract(fields));
  return repository;
}

async function found(fields: string): Promise<string[]> {
  using repository = await released(fields);
  return (await wireCheck.find(repository)).map(({ at, message }) => `${at}: ${message}`);
}

test("what is added breaks nobody", async () => {
  expect(await found(before)).toEqual([]);
  expect(await found(`${before}\n  string more = 3;`)).toEqual([]);
});

test.each([
  [
    "a field that has another type",
    "  string name = 1;\n  string size = 2;",
    /a\.proto:5: .*"2".*changed type/,
  ],
  ["a field that is gone", "  string name = 1;", /a\.proto:3: .*"2".*deleted/],
  ["a number that means something else", "  string name = 2;\n  uint32 size = 1;", /a\.proto:4: /],
])("%s is found, with its place", async (_, fields, problem) => {
  expect(await found(fields)).toContainEqual(expect.stringMatching(problem));
});

test("a schema that can't be read, or nothing to compare with, is no success", async () => {
  expect(await found("  strin name = 1;")).toEqual([expect.stringContaining("packages/protocol")]);
  using repository = fixture({ "packages/protocol/buf.yaml": settings });
  expect(await wireCheck.find(repository)).toEqual([
    { at: "packages/protocol/released.txtpb", message: expect.stringContaining("nothing is compared") },
  ]);
});
