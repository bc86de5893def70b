/** The READMEs of the SDKs: what stands there in C and Rust compiles, and in Python runs. */
import { execFile } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, type TestContext, test } from "vitest";
import { cargo, cargoEnvironment, cPluginAt } from "../../packages/plugins/test/support/built.ts";
import { findPython } from "../../packages/plugins/test/support/python.ts";

const sdks = join(import.meta.dirname, "../../sdks");
const run = promisify(execFile);

/** The README's blocks of a language, in order. */
function blocks(sdk: string, language: string): readonly string[] {
  const page = readFileSync(join(sdks, sdk, "README.md"), "utf8");
  return [...page.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, "gms"))].map(
    ([, code = ""]) => code,
  );
}

/** A folder for the time of a test. */
function folder() {
  const path = mkdtempSync(join(tmpdir(), "troupe-readme-"));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true }) };
}

test("C's compiles", { timeout: 60_000 }, async (context: TestContext) => {
  using at = folder();
  const [around = "", ...more] = blocks("c", "c");
  expect(more).toEqual([]);
  const file = join(at.path, "readme.c");
  const table = [`{.kind = TROUPE_TOOL_EXECUTION, .name = "around", .run = around}`, "{.name = NULL}"].join(
    ", ",
  );
  const definition = [
    `static const troupe_middleware middleware[] = {${table}};`,
    `const troupe_definition troupe_plugin_definition = {.name = "readme", .version = "1", .encoding = TROUPE_CBOR, .middleware = middleware};`,
  ];
  const includes = ["troupe_around.h", "troupe_value.h"].map((header) => `#include "${header}"`);
  writeFileSync(file, [...includes, around, ...definition, ""].join("\n"));
  const built = await cPluginAt(file);
  if (built.missing !== undefined) context.skip(built.missing);
});

test("Rust's compiles", { timeout: 290_000 }, async (context: TestContext) => {
  const fetched = await cargo("fetch", "--locked");
  if (fetched.missing !== undefined) return context.skip(fetched.missing);
  using at = folder();
  const [counter, mailer, around, main, ledger, ...more] = blocks("rust", "rust");
  expect(more).toEqual([]);
  const modules = [
    `pub mod counter { ${counter} pub ${main} }`,
    `pub mod mailer { use std::time::Duration; use troupe_plugin::{Actor, Context, QueueMessage}; pub fn actor() -> Actor { ${mailer} } }`,
    `pub mod around { use serde_json::{Value, json}; use troupe_plugin::{Call, Error, Plugin, kind}; ${around} }`,
    `pub mod ledger { use std::time::Duration; use troupe_plugin::{Actor, QueueMessage, Turn}; pub fn actor() -> Actor { ${ledger} } }`,
  ];
  mkdirSync(join(at.path, "src"));
  writeFileSync(join(at.path, "src/lib.rs"), ["#![allow(dead_code)]", ...modules, ""].join("\n"));
  const manifest = [
    "[package]",
    `name = "troupe-readme"`,
    `edition = "2024"`,
    "[workspace]",
    "[dependencies]",
    `serde_json = "1"`,
    `troupe-plugin = { path = ${JSON.stringify(join(sdks, "rust/troupe-plugin"))}, features = ["worker"] }`,
  ];
  writeFileSync(join(at.path, "Cargo.toml"), manifest.join("\n"));
  copyFileSync(join(sdks, "rust/Cargo.lock"), join(at.path, "Cargo.lock"));
  const env = { ...cargoEnvironment(), CARGO_NET_OFFLINE: "true" };
  await run(fetched.path, ["build", "--release", "--quiet"], { cwd: at.path, env, timeout: 280_000 });
});

test("Python's runs", async (context: TestContext) => {
  const python = await findPython();
  if (python.missing !== undefined) return context.skip(python.missing);
  using at = folder();
  const code = blocks("python", "python");
  expect(code.length).toBe(4);
  const before = [
    "import troupe_plugin",
    "plugins = []",
    "troupe_plugin.serve = plugins.append",
    "deliver = notify = lambda *args: None",
  ];
  const behind = ["assert [plugin.name for plugin in plugins] == ['no-rm', 'counter'], plugins"];
  writeFileSync(join(at.path, "readme.py"), [...before, ...code, ...behind, ""].join("\n"));
  await run(python.path, ["-B", join(at.path, "readme.py")], {
    env: { ...process.env, PYTHONPATH: join(sdks, "python") },
  });
});
