/** Files of plugins: only plain ones inside the folder, and only those that the manifest speaks of. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, renameSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { limits } from "@troupe/protocol";
import { nodeEnv } from "@troupe/runtime/process";
import { expect, test } from "vitest";
import { readBounded, readBoundedSync } from "../../src/bounded-file.ts";
import { readLibrary } from "../../src/carriers/native/library-file.ts";
import { readModule } from "../../src/carriers/wasm/checked-module.ts";
import { textOfSource } from "../../src/dynamic/source-text.ts";
import { readJson } from "../../src/installed/json-file.ts";
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

test("a pipe in a file's place is no file, and nobody waits at it: as a manifest, a library, a module, a list, a source", async (context) => {
  using folder = new PluginFolder();
  const pipe = join(folder.path, "pipe");
  if (spawnSync("mkfifo", [pipe]).status !== 0) return context.skip("mkfifo isn't there");
  await expect(readManifest(pipe)).rejects.toMatchObject({ group: "plugin", code: "manifest_unreadable" });
  await expect(readLibrary(pipe)).rejects.toMatchObject({
    code: "library_missing",
    cause: { code: "EINVAL" },
  });
  await expect(readModule(pipe)).rejects.toMatchObject({ group: "plugin", cause: { code: "EINVAL" } });
  await expect(readJson(pipe)).rejects.toMatchObject({ code: "state_unreadable", cause: { code: "EINVAL" } });
  await expect(textOfSource({ source: pathToFileURL(pipe) }, nodeEnv().timers)).rejects.toMatchObject({
    code: "source_unread",
    cause: { code: "EINVAL" },
  });
  expect(() => readBoundedSync(pipe, { limitBytes: 1, tooLarge: () => new Error("no") })).toThrow("EINVAL");
});

test("of what has more than it says no more is read than one byte past the limit", async (context) => {
  // The system's own files say that they are empty.
  const endless = "/proc/self/maps";
  if (!existsSync(endless)) return context.skip("there is no /proc");
  const read: number[] = [];
  const bound = {
    limitBytes: 100,
    tooLarge: (bytes: number) => new RangeError(String(read.push(bytes))),
  };
  await expect(readBounded(endless, bound)).rejects.toThrow(RangeError);
  expect(() => readBoundedSync(endless, bound)).toThrow(RangeError);
  expect(read).toEqual([101, 101]);
  const whole = { ...bound, limitBytes: 1_000_000 };
  expect((await readBounded(endless, whole)).toString()).toMatch(/^[0-9a-f]+-[0-9a-f]+ .*\n/);
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
