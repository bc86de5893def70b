/** Files of plugins: only plain ones inside the folder, and only those that the manifest speaks of. */
import { spawnSync } from "node:child_process";
import { mkdirSync, renameSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { limits } from "@troupe/protocol";
import { expect, test } from "vitest";
import { readLibrary } from "../../src/carriers/native/library-file.ts";
import { readModule } from "../../src/carriers/wasm/checked-module.ts";
import { checkFile, type NamedFile } from "../../src/manifest/checked-file.ts";
import { readManifest } from "../../src/manifest/read-manifest.ts";
import { PluginFolder, sha256 } from "../support/plugin-folder.ts";

function named(folder: PluginFolder, path: string, digest?: string): NamedFile {
  return { origin: folder.origin, key: "load.library", path, sha256: digest };
}

test("the bytes that were checked are those that are run, whatever the name means later", async () => {
  using folder = new PluginFolder();
  const path = folder.write("lib/x.so", "good");
  const checked = await checkFile(named(folder, "lib/x.so", sha256("good")));
  writeFileSync(join(folder.path, "other"), "evil");
  renameSync(join(folder.path, "other"), path);
  expect(Buffer.from(checked.bytes ?? []).toString()).toBe("good");
  await expect(checkFile(named(folder, "lib/x.so", sha256("good")))).rejects.toMatchObject({
    group: "plugin",
    code: "integrity_mismatch",
    metadata: { path, expected: sha256("good"), found: sha256("evil") },
  });
});

test("a pipe in a file's place is no file, and nobody waits at it: as a manifest, a library, a module", async (context) => {
  using folder = new PluginFolder();
  const pipe = join(folder.path, "pipe");
  if (spawnSync("mkfifo", [pipe]).status !== 0) return context.skip("mkfifo isn't there");
  await expect(readManifest(pipe)).rejects.toMatchObject({ group: "plugin", code: "manifest_unreadable" });
  await expect(readLibrary(pipe)).rejects.toMatchObject({
    code: "library_missing",
    cause: { code: "EINVAL" },
  });
  await expect(readModule(pipe)).rejects.toMatchObject({ group: "plugin", cause: { code: "EINVAL" } });
});

test("a missing file is named, with the manifest that names it", async () => {
  using folder = new PluginFolder();
  await expect(checkFile(named(folder, "lib/x.so"))).rejects.toMatchObject({
    code: "file_missing",
    metadata: { file: join(folder.path, "troupe-plugin.toml"), key: "load.library" },
  });
  folder.write("lib", "a file where a folder should be");
  await expect(checkFile(named(folder, "lib/x.so"))).rejects.toMatchObject({ code: "file_refused" });
});

test("links and folders are refused, also on the way", async () => {
  using folder = new PluginFolder();
  using elsewhere = new PluginFolder();
  elsewhere.write("x.so", "x");
  symlinkSync(join(elsewhere.path, "x.so"), join(folder.path, "link.so"));
  symlinkSync(elsewhere.path, join(folder.path, "lib"));
  mkdirSync(join(folder.path, "folder.so"));
  for (const path of ["link.so", "lib/x.so", "folder.so"])
    await expect(checkFile(named(folder, path))).rejects.toMatchObject({ code: "file_refused" });
});

test("a file and a manifest past their limits are refused before they are read whole", async () => {
  using folder = new PluginFolder();
  const library = folder.write("big.so", "");
  truncateSync(library, limits.pluginLibraryBytes + 1);
  await expect(checkFile(named(folder, "big.so", sha256("")))).rejects.toMatchObject({
    code: "file_too_large",
  });
  const manifest = folder.write("troupe-plugin.toml", "#".repeat(limits.pluginManifestBytes + 1));
  await expect(readManifest(manifest)).rejects.toMatchObject({ code: "manifest_too_large" });
  const binary = folder.write("binary.toml", Uint8Array.of(0xff, 0xfe));
  await expect(readManifest(binary)).rejects.toMatchObject({ code: "manifest_malformed" });
});
