/** What only machine code can do stays out of builds that can't have any, and stories of it are skipped where it isn't there. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { build } from "esbuild";
import { expect, test } from "vitest";
import { whyNotLoaded } from "../support/native-package.ts";

const root = join(import.meta.dirname, "../../../..");
const native = /isolated-vm|koffi|node-pty|\.node$/;

/** All that a bundle of an entry point is made of, and all that it still asks for. */
async function partsOf(entry: string) {
  const { metafile, outputFiles } = await build({
    entryPoints: [join(root, "packages/troupe/src", entry)],
    ...{ bundle: true, write: false, metafile: true, format: "esm", platform: "neutral" },
    mainFields: ["module", "main"],
    conditions: ["troupe-source"],
    logLevel: "silent",
  });
  const asked = Object.values(metafile.inputs).flatMap(({ imports }) => imports.map(({ path }) => path));
  return { parts: [...Object.keys(metafile.inputs), ...asked], text: outputFiles[0]?.text ?? "" };
}

test.for(["edge.ts", "client.ts"])(
  "S5.3 a bundle of %s has nothing native in it, and asks for nothing native",
  async (entry) => {
    const { parts, text } = await partsOf(entry);
    expect(parts.length).toBeGreaterThan(20);
    expect(parts.filter((path) => native.test(path) || path.startsWith("node:"))).toEqual([]);
    // What a bundler doesn't see: `createRequire`, a name that is put together on the way.
    expect(text).not.toMatch(/createRequire|isolated-vm|koffi|node-pty/);
  },
);

test("S5.3 what can't be loaded is why its stories are skipped, by its name: it isn't there, it throws, it ends the process", () => {
  const folder = mkdtempSync(join(tmpdir(), "troupe-native-"));
  const install = (name: "isolated-vm" | "koffi" | "@lydell/node-pty", source: string): void => {
    mkdirSync(join(folder, "node_modules", name), { recursive: true });
    writeFileSync(join(folder, "node_modules", name, "index.js"), source);
  };
  const home = relative(join(root, "packages"), folder);
  install("koffi", 'throw new Error("no build for this platform")');
  install("@lydell/node-pty", 'process.kill(process.pid, "SIGKILL")');
  expect(whyNotLoaded("koffi", home)).toBe("koffi can't be loaded: Error: no build for this platform");
  expect(whyNotLoaded("@lydell/node-pty", home)).toBe(
    "@lydell/node-pty can't be loaded: it ended the process",
  );
  expect(whyNotLoaded("isolated-vm", home)).toMatch(
    /^isolated-vm can't be loaded: Error: Cannot find module/,
  );
  rmSync(folder, { recursive: true });
});
