import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { findIn } from "../fixture.ts";
import { buildCheck, lintCheck, typesCheck } from "./programs.ts";

const biome = readFileSync(new URL("../../biome.json", import.meta.url), "utf8");
const settings = {
  "biome.json": biome.replace('"enabled": true', '"enabled": false').replace(/"\$schema".*\n/, ""),
};
const lint = async (text: string) =>
  (await findIn(lintCheck, { ...settings, "x.ts": text })).filter(
    (problem) => !problem.startsWith("biome.json"),
  );

test("what is formatted and clean passes", async () => {
  expect(await lint("export const x = 1;\n")).toEqual([]);
});

test("what is not formatted is named without its whole text", async () => {
  expect(await lint("export const x   = 1\n")).toEqual(["x.ts: is not formatted"]);
});

test.each([
  ["noExplicitAny", "export let x: any;\n"],
  ["noUnusedImports", 'import { y } from "./y.ts";\n'],
  ["noUnusedVariables", "const x = 1;\n"],
  ["noNonNullAssertion", "export const f = (x?: { y: 1 }) => x!.y;\n"],
  ["useImportType", 'import { Y } from "./y.ts";\n\nexport type X = Y;\n'],
  ["noReExportAll", 'export * from "./y.ts";\n'],
  ["noFloatingPromises", "async function f() {}\n\nexport function g() {\n  f();\n}\n"],
  ["noFocusedTests", 'test.only("x", () => {});\n'],
])("%s is on", async (rule, text) => {
  expect(await lint(text)).toContainEqual(expect.stringMatching(`^x\\.ts:\\d+: .*${rule}`));
});

const compilerOptions = { strict: true, noEmit: true, target: "es2024", module: "nodenext", types: [] };
const tsconfig = JSON.stringify({ compilerOptions, files: ["x.ts"] });

test("a type error is shown with its place", async () => {
  expect(
    await findIn(typesCheck, { "tsconfig.json": tsconfig, "x.ts": "export const x: string = 'y';" }),
  ).toEqual([]);
  expect(
    await findIn(typesCheck, { "tsconfig.json": tsconfig, "x.ts": "export const x: string = 1;" }),
  ).toEqual([expect.stringMatching(/x\.ts\(1,14\): error TS2322/)]);
});

test("a build that leaves out what exports promise fails", async () => {
  const manifest = (file: string) => JSON.stringify({ name: "a", exports: { ".": { default: file } } });
  const files = {
    "tsconfig.build.json": JSON.stringify({ files: [], references: [{ path: "packages/a" }] }),
    "packages/a/tsconfig.json": JSON.stringify({
      compilerOptions: {
        composite: true,
        rootDir: "src",
        outDir: "dist",
        target: "es2024",
        module: "nodenext",
        types: [],
      },
      include: ["src"],
    }),
    "packages/a/src/index.ts": "export const a = 1;",
  };
  expect(
    await findIn(buildCheck, { ...files, "packages/a/package.json": manifest("./dist/index.js") }),
  ).toEqual([]);
  expect(
    await findIn(buildCheck, { ...files, "packages/a/package.json": manifest("./dist/other.js") }),
  ).toEqual(["packages/a/package.json: exports ./dist/other.js, which is not there"]);
});
