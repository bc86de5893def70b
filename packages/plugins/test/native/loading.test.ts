/** What becomes of a file that is to be loaded as a plugin. */
import { spawnSync } from "node:child_process";
import {
  copyFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { limits } from "@troupe/protocol";
import { beforeAll, expect, type TestContext, test } from "vitest";
import { importFfi } from "../../src/carriers/native/ffi.ts";
import { wrongWithImage } from "../../src/carriers/native/image.ts";
import { loadLibrary } from "../../src/carriers/native/libraries.ts";
import { readLibrary } from "../../src/carriers/native/library-file.ts";
import { nativeCarrier } from "../../src/carriers/native/native-carrier.ts";
import { openSession } from "../../src/session/open-session.ts";
import type { PluginSession } from "../../src/session/session.ts";
import { type Built, cFixture, compile, cPlugin } from "../support/built.ts";
import { nodeSessionEnv } from "../support/node-env.ts";

let odd: Built;
let next: Built;

beforeAll(async () => {
  odd = await cFixture("odd", ["-DVERSION='1'"]);
  next = await cFixture("odd", ["-DVERSION='2'"]);
}, 60_000);

function path(context: TestContext, built: Built): string {
  return built.missing === undefined ? built.path : context.skip(built.missing);
}

function folder(context: TestContext): string {
  const made = mkdtempSync(join(tmpdir(), "troupe-test-loading-"));
  context.onTestFinished(() => rmSync(made, { recursive: true, force: true }));
  return made;
}

function open(library: string, way = "r", sha256?: string): Promise<PluginSession> {
  const config = new TextEncoder().encode(way);
  const carrier = nativeCarrier({ library, config, ...(sha256 && { sha256 }) });
  return openSession({ env: nodeSessionEnv, open: carrier, hostVersion: "0.0.0", timeoutMs: 5_000 });
}

async function nameOf(library: string): Promise<string> {
  const session = await open(library);
  const { name } = session.declared;
  await session.close();
  return name;
}

test("S1.1 a hundred opens at once load the library once, and each has a plugin of its own", async (context) => {
  const fresh = await cFixture("odd", [`-DVERSION=${65 + (process.pid % 26)}`]);
  const library = path(context, fresh);
  const loads = () => Number(process.env.TROUPE_TEST_LOADS ?? 0);
  const before = loads();
  const sessions = await Promise.all(Array.from({ length: 100 }, () => open(library)));
  expect(loads()).toBe(before + 1);
  expect(sessions.every((session) => session.open)).toBe(true);
  const reports = await Promise.all(sessions.map((session) => session.close()));
  expect(reports.every((report) => report.clean)).toBe(true);
});

test("S1.1 a load that failed isn't kept: when what it needs is there, the same bytes load", async (context) => {
  const dir = folder(context);
  path(context, odd);
  writeFileSync(join(dir, "part.c"), "int part(void) { return 1; }\n");
  const user = readFileSync(join(import.meta.dirname, "odd.c"), "utf8");
  writeFileSync(
    join(dir, "user.c"),
    `int part(void);\nint user(void);\nint user(void) { return part(); }\n${user}`,
  );
  const part = await compile("part", [join(dir, "part.c")], ["-fvisibility=default"]);
  const needed = join(dir, "libpart.so");
  copyFileSync(path(context, part), needed);
  const link = ["-DVERSION='3'", "-L", dir, "-lpart", `-Wl,-rpath,${dir}`, "-Wl,--no-as-needed"];
  const library = path(context, await compile("user", [join(dir, "user.c")], link));
  rmSync(needed);
  await expect(open(library)).rejects.toMatchObject({
    group: "plugin",
    code: "load_failed",
    message: expect.stringContaining("libpart.so"),
  });
  copyFileSync(path(context, part), needed);
  expect(await nameOf(library)).toBe("od3");
});

test("a library that was rebuilt in place is loaded as what it is now", async (context) => {
  const library = join(folder(context), "plugin.so");
  copyFileSync(path(context, odd), library);
  expect(await nameOf(library)).toBe("od1");
  const running = await open(library);
  copyFileSync(path(context, next), library);
  expect(await nameOf(library)).toBe("od2");
  expect(running.open).toBe(true);
  await running.close();
});

test("S1.2 five hundred failures leave nothing: no descriptor, no file, no directory", async (context) => {
  const library = path(context, odd);
  const leftovers = () =>
    readdirSync(tmpdir()).filter((name) => name.startsWith(`troupe-native-${process.pid}-`));
  const descriptors = () => readdirSync("/proc/self/fd").length;
  if (process.platform !== "linux") context.skip("descriptors are counted in /proc");
  await expect(open(library, "o")).rejects.toMatchObject({ code: "open_failed", metadata: { status: -7 } });
  const before = descriptors();
  for (let at = 0; at < 500; at += 1) await open(library, at % 2 === 0 ? "o" : "b").catch(() => {});
  // What a socket had is given back a turn after it was closed.
  await new Promise((resolve) => setImmediate(resolve));
  expect(descriptors()).toBeLessThanOrEqual(before);
  expect(leftovers()).toEqual([]);
});

test("S1.2 a library that was refused isn't left mapped, however often it is tried", async (context) => {
  if (process.platform !== "linux") context.skip("what is mapped is read in /proc");
  const newer = path(context, await cFixture("odd", ["-DVERSION='1'", "-DABI=(3u<<16)"]));
  const mapped = () => readFileSync("/proc/self/maps", "utf8").split("troupe-native-").length;
  const before = mapped();
  for (let at = 0; at < 20; at += 1) await open(newer).catch(() => {});
  expect(mapped()).toBe(before);
});

test("S1.2 what can't be loaded is an error with its cause, and nothing is handed out", async (context) => {
  const dir = folder(context);
  const library = path(context, odd);
  const bytes = readFileSync(library);
  const write = (name: string, content: Uint8Array | string) => {
    writeFileSync(join(dir, name), content);
    return join(dir, name);
  };
  await expect(open(join(dir, "none.so"))).rejects.toMatchObject({ code: "library_missing" });
  await expect(open(dir)).rejects.toMatchObject({ code: "library_missing" });
  await expect(open(write("text.so", "#!/bin/sh\n".repeat(20)))).rejects.toMatchObject({
    code: "not_a_library",
  });
  for (const size of [3, 63, 65, 600, 4_096, bytes.byteLength >> 1])
    await expect(open(write("cut.so", bytes.subarray(0, size)))).rejects.toMatchObject({
      code: "not_a_library",
    });
  const foreign = Buffer.from(bytes);
  foreign.writeUInt16LE(0xf3, 18);
  await expect(open(write("foreign.so", foreign))).rejects.toMatchObject({
    code: "load_failed",
    metadata: { text: expect.stringMatching(/\w+ \w+/) },
  });
  writeFileSync(join(dir, "other.c"), "int other(void);\nint other(void) { return 1; }\n");
  const other = await compile("other", [join(dir, "other.c")]);
  await expect(open(path(context, other))).rejects.toMatchObject({
    code: "symbol_missing",
    message: expect.stringContaining("troupe_plugin_abi, troupe_plugin_open"),
  });
  const newer = await cFixture("odd", ["-DVERSION='1'", "-DABI=(2u<<16)"]);
  await expect(open(path(context, newer))).rejects.toMatchObject({
    code: "abi_mismatch",
    metadata: { found: "2.0", wanted: "1.0" },
  });
  await expect(open(library, "r", "00".repeat(32))).rejects.toMatchObject({ code: "integrity_mismatch" });
});

test("a library of RivetKit's or NeMo Relay's ABI is recognised, and answered with the page on porting", async (context) => {
  const dir = folder(context);
  const foreign = async (name: string, source: string): Promise<string> => {
    writeFileSync(join(dir, `${name}.c`), source);
    return path(context, await compile(name, [join(dir, `${name}.c`)], ["-fvisibility=default"]));
  };
  const rivet = await foreign(
    "rivet",
    `unsigned long long rivet_actor_abi_magic(void);
     unsigned long long rivet_actor_abi_magic(void) { return 0x5256544142490001ull; }\n`,
  );
  await expect(open(rivet)).rejects.toMatchObject({
    group: "plugin",
    code: "foreign_abi",
    metadata: { host: "RivetKit", page: "docs/moving-from-rivetkit.md" },
    cause: { code: "symbol_missing" },
  });
  const nemo = await foreign(
    "nemo",
    "int nemo_relay_plugin_entry(void *host, void *out);\nint nemo_relay_plugin_entry(void *host, void *out) { return host == out; }\n",
  );
  const refusal = await open(nemo).catch((error) => error);
  expect(refusal).toMatchObject({ code: "foreign_abi", metadata: { host: "NeMo Relay" } });
  for (const page of ["docs/moving-from-rivetkit.md", "docs/moving-from-nemo-relay.md"])
    expect(readFileSync(join(import.meta.dirname, "../../../..", page), "utf8")).toContain("native plugins");
});

test("only the bytes whose digest is pinned are loaded", async (context) => {
  const library = path(context, odd);
  const { digest } = await readLibrary(library);
  const session = await open(library, "r", digest.toUpperCase());
  await session.close();
  const ffi = await importFfi();
  const file = await readLibrary(library);
  expect(loadLibrary(ffi, file)).toBe(loadLibrary(ffi, file));
});

test("a plugin that is full takes what it was told once it has room again", async (context) => {
  const session = await open(path(context, odd), "f");
  expect(session.declared.name).toBe("od1");
  await session.close();
});

test("a plugin that says that it can't go on ends the session with what it gave", async (context) => {
  await expect(open(path(context, odd), "b")).rejects.toMatchObject({
    code: "broken",
    metadata: { what: "push", status: -3 },
  });
  await expect(open(path(context, odd), "p")).rejects.toMatchObject({
    code: "broken",
    metadata: { what: "pull" },
  });
});

test("a library is known by how it begins, on each platform by its own", () => {
  const begins = (...bytes: number[]) => Buffer.concat([Buffer.from(bytes), Buffer.alloc(100)]);
  expect(wrongWithImage(begins(0xcf, 0xfa, 0xed, 0xfe), "darwin")).toBeUndefined();
  expect(wrongWithImage(begins(0xcf, 0xfa, 0xed, 0xfe), "linux")).toMatch(/begin/);
  expect(wrongWithImage(begins(0x7f, 0x45, 0x4c, 0x46), "darwin")).toMatch(/begin/);
  expect(wrongWithImage(begins(0x7f, 0x45, 0x4c, 0x46, 2, 1), "linux")).toMatch(/program/);
  expect(wrongWithImage(Buffer.from([0x7f, 0x45, 0x4c, 0x46]), "linux")).toMatch(/short/);
});

test("a file past the limit isn't read", async (context) => {
  const file = join(folder(context), "large.so");
  writeFileSync(file, "");
  truncateSync(file, limits.pluginLibraryBytes + 1);
  await expect(open(file)).rejects.toMatchObject({ code: "library_too_large" });
});

test("a program ends well while a thread of a plugin runs: the library stays mapped to the last", async (context) => {
  const library = path(context, await cPlugin("lanes"));
  const program = join(import.meta.dirname, "exits.ts");
  for (let again = 0; again < 3; again += 1) {
    const { status, signal, stderr } = spawnSync(
      process.execPath,
      ["--conditions=troupe-source", program, library],
      { encoding: "utf8" },
    );
    expect({ status, signal, stderr }).toEqual({ status: 0, signal: null, stderr: "" });
  }
});
