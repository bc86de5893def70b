/** Manifests: what is accepted, and every way to be refused. */
import { readFileSync } from "node:fs";
import { TroupeError } from "@troupe/base";
import { describe, expect, test } from "vitest";
import { parseManifest } from "../../src/manifest/manifest.ts";
import { TROUPE_VERSION } from "../../src/version.ts";

const digest = "a".repeat(64);

const native = `
manifest_version = 1
capabilities = ["middleware"]
startup = "optional"
[plugin]
id = "no-rm"
name = "No rm"
version = "1.2.3"
kind = "native"
[compat]
troupe = "^${TROUPE_VERSION}"
[load]
library = "lib/no-rm.so"
[integrity]
sha256 = "${digest}"
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
[load]
runtime = "node"
entrypoint = "curfew.ts"
args = ["--quiet", "--quiet"]
env = ["TZ"]
`;

test("a native plugin and a worker", () => {
  expect(parseManifest(native, "/p/troupe-plugin.toml")).toEqual({
    origin: { file: "/p/troupe-plugin.toml", folder: "/p" },
    id: "no-rm",
    name: "No rm",
    version: "1.2.3",
    capabilities: ["middleware"],
    startup: "optional",
    load: { kind: "native", library: "lib/no-rm.so", sha256: digest },
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

describe("S3.1 (in part) what a manifest may not say is refused with the value, what is accepted and the file", () => {
  const cases: [what: string, text: string, message: string][] = [
    ["no TOML", "plugin = [", "isn't TOML"],
    ["another version", native.replace("= 1", "= 2"), "manifest_version is 2, and must be 1"],
    ["no version", native.replace("manifest_version = 1", ""), "manifest_version is missing"],
    ["an id", native.replace('"no-rm"', '"../no"'), 'plugin.id is "../no", and must be a lower-case letter'],
    [
      "a kind",
      native.replace('"native"', '"wasm"'),
      'plugin.kind is "wasm", and must be "native" or "worker"',
    ],
    ["a missing table", native.replace(/\[compat\]\n.*\n/, ""), "compat.troupe is missing"],
    ["a table that is none", `compat = 5\n${native.replace(/\[compat\]\n.*\n/, "")}`, "compat is 5"],
    ["a range", native.replace(`^${TROUPE_VERSION}`, "soon"), 'compat.troupe is "soon", and must be a range'],
    [
      "a capability",
      native.replace('["middleware"]', '["root"]'),
      'must be a list of texts, each "actors" or',
    ],
    ["a text twice", worker.replace('["TZ"]', '["TZ", "TZ"]'), "must be a list of different texts"],
    [
      "a native plugin without digest",
      native.replace(/\[integrity\][\s\S]*/, ""),
      "integrity.sha256 is missing",
    ],
    ["a short digest", native.replace(digest, "abc"), 'integrity.sha256 is "abc", and must be a SHA-256'],
    ["a misspelt key", native.replace("startup", "start_up"), "no key start_up. Did you mean startup?"],
    [
      "a misspelt key in a table",
      native.replace("name =", "nmae ="),
      "plugin.nmae. Did you mean plugin.name?",
    ],
    [
      "a worker's key in a native plugin",
      native.replace("[load]", '[load]\nruntime = "node"'),
      "load.runtime",
    ],
    ["a key of the prototype", native.replace("[load]", "[load]\nconstructor = 1"), "load.constructor"],
    ...["../x", "a/../x", "/x", "./x", "a//x", "", "C:/x", "a\\\\x", "a\\u0000"].map(
      (path): [string, string, string] => [
        `the path "${path}"`,
        native.replace("lib/no-rm.so", path),
        "and must be a path inside the manifest's folder",
      ],
    ),
  ];
  test.each(cases)("%s", (_what, text, message) => {
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

test("the published schema knows the keys that the parser knows", () => {
  const schema = JSON.parse(
    readFileSync(new URL("../../src/manifest/troupe-plugin.schema.json", import.meta.url), "utf8"),
  );
  const [nativeLoad, workerLoad] = schema.properties.load.oneOf;
  const published = [
    ...Object.keys(schema.properties),
    ...["plugin", "compat", "integrity"].flatMap((table) => Object.keys(schema.properties[table].properties)),
    ...Object.keys(nativeLoad.properties),
    ...Object.keys(workerLoad.properties),
  ];
  const written = [...`${native}${worker}`.matchAll(/^\[?(\w+)/gm)].map((match) => match[1]);
  expect(new Set(published)).toEqual(new Set(written));
  const path = new RegExp(schema.$defs.path.pattern, "u");
  for (const good of ["x", "a/b.so", "..x", "x.."]) expect(path.test(good)).toBe(true);
  for (const bad of ["../x", "a/..", "/x", "./x", "a//x", "", "C:/x", "a\\x", "a\0"])
    expect(path.test(bad)).toBe(false);
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
