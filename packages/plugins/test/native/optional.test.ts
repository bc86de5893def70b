/** What the native carrier costs those who don't use it, and what is written down of its ABI. */
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";
import { expect, test } from "vitest";
import { HOST_ABI } from "../../src/carriers/native/ffi.ts";

const root = join(import.meta.dirname, "../../../..");

test("S1.7 koffi is an optional dependency of plugins alone, pinned, and nobody's install script runs for it", () => {
  const holders = readdirSync(join(root, "packages"))
    .map((name) => JSON.parse(readFileSync(join(root, "packages", name, "package.json"), "utf8")))
    .filter((manifest) => JSON.stringify(manifest).includes('"koffi"'));
  expect(holders.map(({ name, optionalDependencies }) => [name, optionalDependencies.koffi])).toEqual([
    ["@troupe/plugins", "3.3.4"],
  ]);
  expect(JSON.parse(readFileSync(join(root, "package.json"), "utf8")).allowScripts.koffi).toBe(false);
});

test("S1.7 without koffi everything else works, and a native plugin says what to install", () => {
  const program = `
    import { registerHooks } from "node:module";
    registerHooks({ resolve(name, context, next) {
      if (name === "koffi") throw Object.assign(new Error("no such package"), { code: "ERR_MODULE_NOT_FOUND" });
      return next(name, context);
    } });
    const { nativeCarrier, pluginActor } = await import("@troupe/plugins");
    pluginActor({ library: "./a.so" });
    const error = await nativeCarrier({ library: "./a.so" })({ frame() {}, ended() {} }).catch((error) => error);
    console.log(error.group, error.code, error.metadata.install);
  `;
  const args = ["--conditions=troupe-source", "--input-type=module", "--eval", program];
  const said = execFileSync(process.execPath, args, {
    cwd: join(root, "packages/plugins"),
    encoding: "utf8",
  });
  expect(said.trim()).toBe("package missing npm install koffi");
});

test("S1.7 the edge's bundle has nothing of plugins", async () => {
  const { metafile } = await build({
    entryPoints: [join(root, "packages/troupe/src/edge.ts")],
    bundle: true,
    write: false,
    metafile: true,
    format: "esm",
    platform: "browser",
    conditions: ["troupe-source"],
    external: ["node:*", "cloudflare:*"],
    logLevel: "silent",
  });
  const inputs = Object.keys(metafile.inputs);
  expect(inputs.length).toBeGreaterThan(20);
  expect(inputs.filter((path) => /packages\/plugins|koffi/.test(path))).toEqual([]);
});

test("S1.8 the ABI's version is the header's, and its history tells of it", () => {
  const header = readFileSync(join(root, "sdks/c/include/troupe_plugin.h"), "utf8");
  const part = (name: string) => Number(new RegExp(`TROUPE_ABI_${name} (\\d+)u`).exec(header)?.[1]);
  expect([HOST_ABI >>> 16, HOST_ABI & 0xffff]).toEqual([part("MAJOR"), part("MINOR")]);
  const history = header.slice(header.indexOf("History of the version"), header.indexOf("#ifndef"));
  const told = [...history.matchAll(/^ \* {3}(\d+)\.(\d+) {2}\S/gm)].map(
    ([, major, minor]) => `${major}.${minor}`,
  );
  expect(told.at(-1)).toBe(`${part("MAJOR")}.${part("MINOR")}`);
  const rust = readFileSync(join(root, "sdks/rust/troupe-plugin/src/abi.rs"), "utf8");
  expect(rust).toContain(`pub const ABI: u32 = ${part("MAJOR")} << 16;`);
});
