/**
 * Native plugins, built from `sdks/` and from the sources of these tests, outside of the repository and once per
 * version of what they are built from. Where there is no compiler, why not.
 */
import { execFile, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { promisify } from "node:util";
import { whyNotLoaded } from "./native-package.ts";

const root = join(import.meta.dirname, "../../../..");
const sdkC = join(root, "sdks/c");
/** Where cargo's files go. */
export const cargoTarget = join(root, "node_modules/.cache/troupe-cargo");
const run = promisify(execFile);

/** A built library, or why it can't be built here. */
export type Built = { readonly path: string; readonly missing?: never } | { readonly missing: string };

/** An example of `sdks/c`, by name. */
export function cExample(name: string): Promise<Built> {
  return compile(name, [join(sdkC, "examples", `${name}.c`), ...sdkSources()]);
}

/** A plugin of these tests, straight on the ABI: `test/native/<name>.c`. */
export function cFixture(name: string, flags: readonly string[] = []): Promise<Built> {
  return compile(name, [join(import.meta.dirname, "../native", `${name}.c`)], flags);
}

/** A plugin of these tests, written with the C SDK: `test/native/<name>.c`. */
export function cPlugin(name: string): Promise<Built> {
  return compile(name, [join(import.meta.dirname, "../native", `${name}.c`), ...sdkSources()]);
}

/** A plugin in C at any path, written with the C SDK. */
export function cPluginAt(...paths: readonly string[]): Promise<Built> {
  return compile(basename(paths[0] ?? "", ".c"), [...paths, ...sdkSources()]);
}

/**
 * A program of these tests with the C SDK in it, under sanitizers: `address,undefined` or `thread`. Where the compiler
 * has none, that is what is missing.
 */
export function sanitized(name: string, sanitizers: string): Promise<Built> {
  const program = join(import.meta.dirname, "../native", `${name}.c`);
  return sanitizedProgram([program, ...sdkSources()], sanitizers);
}

/** The same for a program of these sources; `sdkSource` names one of the SDK's. */
export async function sanitizedProgram(sources: readonly string[], sanitizers: string): Promise<Built> {
  const sanitize = ["-g", "-D_GNU_SOURCE", `-fsanitize=${sanitizers}`, "-fno-sanitize-recover=all"];
  try {
    return await compile(basename(sources[0] ?? "", ".c"), sources, sanitize, []);
  } catch (error) {
    const said = error instanceof Error && "stderr" in error ? String(error.stderr) : "";
    if (!/cannot find .*(asan|ubsan|tsan)|unsupported option/.test(said)) throw error;
    return { missing: `the C compiler has no sanitizers (${sanitizers})` };
  }
}

/** Compiles a shared library (`shape` says otherwise) as strictly as the SDK's README says. */
export async function compile(
  name: string,
  sources: readonly string[],
  flags: readonly string[] = [],
  shape: readonly string[] = ["-shared", "-fPIC", "-fvisibility=hidden"],
): Promise<Built> {
  // A library that nothing could load here.
  const unloaded = shape.includes("-shared") ? whyNotLoaded("koffi") : undefined;
  if (unloaded !== undefined) return { missing: unloaded };
  const compiler = [process.env.TROUPE_TEST_CC, "gcc", "cc"].find(
    (path) => path && spawnSync(path, ["--version"]).status === 0,
  );
  if (compiler === undefined) return { missing: process.env.TROUPE_TEST_CC_WHY || "no C compiler" };
  const strict = ["-std=c11", "-Wall", "-Wextra", "-Werror", "-O2", ...shape];
  const hash = createHash("sha256").update(JSON.stringify([compiler, strict, flags]));
  for (const file of [...sources, ...headers(), ...besides(sources)]) hash.update(readFileSync(file));
  const folder = join(tmpdir(), `troupe-test-native-${process.getuid?.() ?? 0}`);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const path = join(folder, `${name}-${hash.digest("hex").slice(0, 16)}.so`);
  if (existsSync(path)) return { path };
  const fresh = `${path}.${process.pid}`;
  await run(compiler, [
    ...strict,
    "-I",
    join(sdkC, "include"),
    "-o",
    fresh,
    ...sources,
    ...flags,
    "-lpthread",
  ]);
  renameSync(fresh, path);
  return { path };
}

/** An example of `sdks/rust`, by name. Cargo's files go to node_modules/.cache. */
export async function rustExample(name: string): Promise<Built> {
  const unloaded = whyNotLoaded("koffi");
  if (unloaded !== undefined) return { missing: unloaded };
  const suffix = process.platform === "darwin" ? "dylib" : "so";
  return await builtExample(name, `libtroupe_example_${name}.${suffix}`);
}

/** The same as a program of its own. */
export function rustProgram(name: string): Promise<Built> {
  return builtExample(name, `troupe-example-${name}`);
}

async function builtExample(name: string, file: string): Promise<Built> {
  const built = await cargo("build", "--release", "--locked", "-p", `troupe-example-${name}`);
  return built.missing === undefined ? { path: join(cargoTarget, "release", file) } : built;
}

/** An example of `sdks/rust` as a module of WebAssembly, by name: where Rust has its standard library for that. */
export async function rustWasmExample(name: string): Promise<Built> {
  const target = "wasm32-unknown-unknown";
  const asked = spawnSync("rustc", ["--print", "target-libdir", "--target", target]);
  if (asked.status !== 0 || !existsSync(asked.stdout.toString().trim()))
    return { missing: `no standard library of Rust for ${target}: rustup target add ${target}` };
  const example = `troupe-example-${name}`;
  const built = await cargo("build", "--release", "--locked", "--target", target, "-p", example);
  if (built.missing !== undefined) return built;
  return { path: join(cargoTarget, target, "release", `troupe_example_${name}.wasm`) };
}

/** An example of `sdks/c` as a module of WebAssembly, by name. */
export function wasmExample(name: string): Promise<Built> {
  return compileWasm(name, join(sdkC, "examples", `${name}.c`));
}

/** A plugin in C at any path as a module of WebAssembly, written with the C SDK. */
export function wasmPluginAt(...paths: readonly string[]): Promise<Built> {
  return compileWasm(basename(paths[0] ?? "", ".c"), ...paths);
}

/** A plugin of these tests as a module of WebAssembly, written with the C SDK: `test/wasm/<name>.c`. */
export function wasmPlugin(name: string): Promise<Built> {
  return compileWasm(name, join(import.meta.dirname, "../wasm", `${name}.c`));
}

async function compileWasm(name: string, ...programs: readonly string[]): Promise<Built> {
  const clang = process.env.TROUPE_TEST_CLANG || "clang";
  const linker = process.env.TROUPE_TEST_WASM_LD || "wasm-ld";
  const missing = [clang, linker].find((path) => spawnSync(path, ["--version"]).status !== 0);
  if (missing !== undefined) return { missing: `no ${missing}: clang and lld make modules of WebAssembly` };
  const all = [...programs, ...wasmSources()];
  const flags = ["--target=wasm32", "-std=c11", "-Wall", "-Wextra", "-Werror", "-O2", "-ffreestanding"];
  flags.push("-mbulk-memory", "-nostdlib", "-fvisibility=hidden", "-I", join(sdkC, "include"));
  flags.push("-isystem", join(sdkC, "wasm/include"), "-Wl,--no-entry,--export-dynamic,--strip-all");
  flags.push("-Wl,--stack-first,-z,stack-size=262144,--max-memory=268435456");
  const hash = createHash("sha256").update(JSON.stringify([clang, flags]));
  for (const file of [...all, ...headers(), ...wasmHeaders(), ...besides(programs)])
    hash.update(readFileSync(file));
  const folder = join(tmpdir(), `troupe-test-native-${process.getuid?.() ?? 0}`);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const path = join(folder, `${name}-${hash.digest("hex").slice(0, 16)}.wasm`);
  if (existsSync(path)) return { path };
  const fresh = `${path}.${process.pid}`;
  await run(clang, [...flags, "-o", fresh, ...all]);
  renameSync(fresh, path);
  return { path };
}

/** Runs cargo in the Rust SDK. Rejects with what it said. */
export async function cargo(...args: readonly string[]): Promise<Built> {
  const path = process.env.TROUPE_TEST_CARGO;
  if (!path) return { missing: process.env.TROUPE_TEST_CARGO_WHY || "no cargo" };
  const how = {
    cwd: join(root, "sdks/rust"),
    env: { ...process.env, CARGO_TARGET_DIR: cargoTarget },
    timeout: 280_000,
  };
  try {
    await run(path, ["fetch", "--locked"], how);
  } catch (error) {
    return { missing: `the crates can't be fetched: ${String(error).slice(0, 200)}` };
  }
  await run(path, args, how);
  return { path };
}

/** A source of the C SDK, by its file's name. */
export function sdkSource(file: string): string {
  return join(sdkC, "src", file);
}

function sdkSources(): string[] {
  return readdirSync(join(sdkC, "src"))
    .filter((file) => file.endsWith(".c"))
    .map(sdkSource);
}

/** What `sdks/c/wasm` has takes the place of what needs threads. */
function wasmSources(): string[] {
  const wasm = join(sdkC, "wasm/src");
  const own = readdirSync(wasm);
  const shared = sdkSources().filter((path) => !own.some((file) => path.endsWith(`/${file}`)));
  return [...shared, ...own.map((file) => join(wasm, file))];
}

function wasmHeaders(): string[] {
  const folder = join(sdkC, "wasm/include");
  return readdirSync(folder).map((file) => join(folder, file));
}

/** Headers of programs in several parts. */
function besides(sources: readonly string[]): string[] {
  return sources.map((file) => file.replace(/\.c$/, ".h")).filter((file) => existsSync(file));
}

function headers(): string[] {
  return ["include", "src"].flatMap((folder) =>
    readdirSync(join(sdkC, folder))
      .filter((file) => file.endsWith(".h"))
      .map((file) => join(sdkC, folder, file)),
  );
}
