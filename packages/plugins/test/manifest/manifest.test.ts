/** Manifests: what is accepted, and every way to be refused. */
import { readFileSync } from "node:fs";
import { Validator } from "@cfworker/json-schema";
import { TROUPE_VERSION, TroupeError } from "@troupe/base";
import { parse } from "smol-toml";
import { describe, expect, test } from "vitest";
import { parseManifest } from "../../src/manifest/manifest.ts";

const digest = "a".repeat(64);

const native = `
manifest_version = 1
capabilities = ["middleware"]
startup = "optional"
config_schema = "config.schema.json"
[plugin]
id = "no-rm"
name = "No rm"
version = "1.2.3"
kind = "native"
[compat]
troupe = "^${TROUPE_VERSION}"
native_abi = 1
[load]
library = "lib/no-rm.so"
isolation = "in_process"
[integrity]
sha256 = "${digest}"
[integrity.files]
"config.schema.json" = "${digest}"
`;

const worker = `
manifest_version = 1
capabilities = ["actors", "middleware"]
[plugin]
id = "curfew"
version = "1.0.0"
kind = "worker"
[compat]
troupe = ">=${TROUPE_VERSION}"
plugin_protocol = 1
[load]
runtime = "node"
entrypoint = "curfew.ts"
args = ["--quiet", "--quiet"]
env = ["TZ"]
`;

/** A plugin that says as little as it may. */
function least(kind: string, load: string): string {
  return `
manifest_version = 1
[plugin]
id = "least"
version = "1.0.0"
kind = "${kind}"
[compat]
troupe = "*"
[load]
${load}
`;
}

const accepted = [
  native,
  worker,
  least("native", 'library = "a.so"'),
  least("worker", 'runtime = "python"\nentrypoint = "main.py"'),
  least("worker", 'runtime = "rust"\nentrypoint = "bin/main"'),
  least("module", 'module = "main.mjs"'),
  least("isolate", 'module = "actor.js"'),
  least("wasm", 'wasm = "main.wasm"'),
];

test("a native plugin and a worker, all that they may say", () => {
  expect(parseManifest(native, "/p/troupe-plugin.toml")).toEqual({
    origin: { file: "/p/troupe-plugin.toml", folder: "/p" },
    id: "no-rm",
    name: "No rm",
    version: "1.2.3",
    capabilities: ["middleware"],
    startup: "optional",
    configSchema: "config.schema.json",
    load: {
      kind: "native",
      library: "lib/no-rm.so",
      isolation: "in_process",
      sha256: digest,
      files: new Map([["config.schema.json", digest]]),
    },
  });
  expect(parseManifest(worker, "/p/troupe-plugin.toml")).toMatchObject({
    name: "curfew",
    startup: "required",
    load: {
      kind: "worker",
      runtime: "node",
      entrypoint: "curfew.ts",
      args: ["--quiet", "--quiet"],
      env: ["TZ"],
      sha256: undefined,
    },
  });
});

/** What a manifest may not say: the text, and what the refusal says of it. */
const refused: [what: string, text: string, message: string][] = [
  ["no TOML", "plugin = [", "isn't TOML"],
  ["another version", native.replace("= 1", "= 2"), "manifest_version is 2, and must be 1"],
  ["no version", native.replace("manifest_version = 1", ""), "manifest_version is missing"],
  ["an id", native.replace('"no-rm"', '"../no"'), 'plugin.id is "../no", and must be a lower-case letter'],
  [
    "a kind",
    native.replace('"native"', '"docker"'),
    'plugin.kind is "docker", and must be "native" or "worker" or "module" or "isolate" or "wasm"',
  ],
  ["a missing table", native.replace(/\[compat\]\n.*\n.*\n/, ""), "compat.troupe is missing"],
  ["a table that is none", `compat = 5\n${native.replace(/\[compat\]\n.*\n.*\n/, "")}`, "compat is 5"],
  ["a range", native.replace(`^${TROUPE_VERSION}`, "soon"), 'compat.troupe is "soon", and must be a range'],
  ["a capability", native.replace('["middleware"]', '["root"]'), 'must be a list of texts, each "actors" or'],
  ["a text twice", worker.replace('["TZ"]', '["TZ", "TZ"]'), "must be a list of different texts"],
  ["an ABI", native.replace("native_abi = 1", "native_abi = 2"), "compat.native_abi is 2, and must be 1"],
  [
    "a protocol",
    worker.replace("protocol = 1", "protocol = 9"),
    "compat.plugin_protocol is 9, and must be 1",
  ],
  [
    "an ABI of what has none",
    worker.replace("plugin_protocol", "native_abi"),
    "there is no key compat.native_abi",
  ],
  [
    "digests of other files and none of the one that is run",
    native.replace(`sha256 = "${digest}"`, ""),
    "integrity.sha256 is missing",
  ],
  [
    "a digest of a file elsewhere",
    native.replace('"config.schema.json" = ', '"../config.schema.json" = '),
    'a name in integrity.files is "../config.schema.json", and must be a path inside',
  ],
  [
    "no digest of a file",
    native.replace(/"config.schema.json" = ".*"/, '"config.schema.json" = "?"'),
    'integrity.files.config.schema.json is "?", and must be a SHA-256',
  ],
  [
    "a schema that isn't a file",
    native.replace(/^config_schema = .*$/m, 'config_schema = { type = "object" }'),
    'config_schema is {"type":"object"}, and must be the path of a JSON Schema\'s file',
  ],
  ["a schema elsewhere", native.replace('config_schema = "', 'config_schema = "/'), "config_schema is"],
  [
    "an isolation",
    native.replace('"in_process"', '"none"'),
    'load.isolation is "none", and must be "process" or "in_process"',
  ],
  [
    "a runtime",
    worker.replace('"node"', '"perl"'),
    'load.runtime is "perl", and must be "node" or "python" or "rust" or "command"',
  ],
  ["a short digest", native.replace(digest, "abc"), 'integrity.sha256 is "abc", and must be a SHA-256'],
  ["a misspelt key", native.replace("startup", "start_up"), "no key start_up. Did you mean startup?"],
  ["a misspelt key in a table", native.replace("name =", "nmae ="), "plugin.nmae. Did you mean plugin.name?"],
  ["a worker's key in a native plugin", native.replace("[load]", '[load]\nruntime = "node"'), "load.runtime"],
  ["a key of the prototype", native.replace("[load]", "[load]\nconstructor = 1"), "load.constructor"],
  ...["../x", "a/../x", "/x", "./x", "a//x", "", "C:/x", "a\\\\x", "a\\u0000"].map(
    (path): [string, string, string] => [
      `the path "${path}"`,
      native.replace("lib/no-rm.so", path),
      "and must be a path inside the manifest's folder",
    ],
  ),
];

describe("S3.1 (in part) what a manifest may not say is refused with the value, what is accepted and the file", () => {
  test.each(refused)("%s", (_what, text, message) => {
    const refusal = refusalOf(text);
    expect(refusal.message).toContain("/p/troupe-plugin.toml");
    expect(refusal.message).toContain(message);
    expect(refusal.metadata).toMatchObject({ file: "/p/troupe-plugin.toml" });
  });
});

test("a plugin for another Troupe is told which one this is", () => {
  const refusal = refusalOf(native.replace(`^${TROUPE_VERSION}`, ">=99.0.0"));
  expect(refusal.code).toBe("incompatible");
  expect(refusal.message).toContain(`">=99.0.0", and this is Troupe ${TROUPE_VERSION}`);
});

test("the published schema takes what the parser takes, and refuses what it refuses", () => {
  const file = new URL("../../src/manifest/troupe-plugin.schema.json", import.meta.url);
  const schema = new Validator(JSON.parse(readFileSync(file, "utf8")), "2020-12");
  const takes = (text: string): boolean => schema.validate(parse(text)).valid;
  for (const text of accepted) {
    expect(parseManifest(text, "/p/troupe-plugin.toml").id).not.toBe("");
    expect(takes(text), text).toBe(true);
  }
  // What JSON Schema has no word for: a text that isn't TOML, and one that is no range of versions.
  const beyond = ["no TOML", "a range"];
  for (const [what, text] of refused) if (!beyond.includes(what)) expect(takes(text), what).toBe(false);
});

function refusalOf(text: string): TroupeError {
  try {
    parseManifest(text, "/p/troupe-plugin.toml");
  } catch (error) {
    if (TroupeError.is(error)) return error;
    throw error;
  }
  throw new Error("it was accepted");
}
