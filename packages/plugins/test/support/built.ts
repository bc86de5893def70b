/**
 * Native plugins, built from `sdks/` and from the sources of these tests, outside of the repository and once per
 * version of what they are built from. Where there is no compiler, why not.
 */
import { execFile, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, parse } from "node:path";
import { promisify } from "node:util";
import { whyNotLoaded } from "./native-package.ts";

const root = join(import.meta.dirname, "../../../..");
const sdkC = join(root, "sdks/c");
/** The conformance kit's actor in C: all its parts. */
export const keeperInC: readonly string[] = [
  "keeper.c",
  "keeper-clients.c",
  "keeper-sockets.c",
  "keeper-time.c",
].map((file) => join(root, "conformance/plugin/workers", file));
/** Where cargo's files go. */
const cargoTarget = join(root, "node_modules/.cache/troupe-cargo");
const run = promisify(execFile);

/** A built library, or why it can't be built here. */
export type Built = { readonly path: string; readonly missing?: never } | { readonly missing: string };

/** What every part of a library is compiled with. */
const inLibrary = ["-O2", "-fPIC", "-fvisibility=hidden"];
const shared = [...inLibrary, "-shared"];

/** An example of `sdks/c`, by name. */
export function cExample(name: string): Promise<Built> {
  return cPluginAt(join(sdkC, "examples", `${name}.c`));
}

/** A plugin of these tests, straight on the ABI: `test/native/<name>.c`. */
export function cFixture(name: string, flags: readonly string[] = []): Promise<Built> {
  return compile(name, [join(import.meta.dirname, "../native", `${name}.c`)], flags);
}

/** A plugin of these tests, written with the C SDK: `test/native/<name>.c`. */
export function cPlugin(name: string): Promise<Built> {
  return cPluginAt(join(import.meta.dirname, "../native", `${name}.c`));
}

/** A plugin in C at any path, written with the C SDK. */
export async function cPluginAt(...paths: readonly string[]): Promise<Built> {
  // The SDK is the most of it, and the same in all of them.
  const sdk = await compile("sdk", sdkSources(), [], [...inLibrary, "-r"]);
  return sdk.missing === undefined
    ? await compile(basename(paths[0] ?? "", ".c"), [...paths, sdk.path])
    : sdk;
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
  // Not optimised: sanitizers see each access as it is written, and it compiles in an eighth of the time.
  const sanitize = ["-O0", "-g", "-D_GNU_SOURCE", `-fsanitize=${sanitizers}`, "-fno-sanitize-recover=all"];
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
  shape: readonly string[] = shared,
): Promise<Built> {
  // A library that nothing could load here.
  const unloaded = shape.includes("-shared") ? whyNotLoaded("koffi") : undefined;
  if (unloaded !== undefined) return { missing: unloaded };
  const compiler = [process.env.TROUPE_TEST_CC, "gcc", "cc"].find(
    (path) => path && spawnSync(path, ["--version"]).status === 0,
  );
  if (compiler === undefined) return { missing: process.env.TROUPE_TEST_CC_WHY || "no C compiler" };
  const strict = ["-std=c11", "-Wall", "-Wextra", "-Werror", "-I", join(sdkC, "include")];
  const part = shape.includes("-r");
  const args = [...strict, ...shape, ...sources, ...flags, ...(part ? [] : ["-lpthread"])];
  return await builtOnce(
    compiler,
    args,
    [...sources, ...headers(), ...besides(sources)],
    part ? `${name}.o` : `${name}.so`,
  );
}

/** What is being compiled, by its path: parts are asked for by several libraries at once. */
const building = new Map<string, Promise<Built>>();

/** Runs `compiler`, unless that made the same file of the same sources before. */
async function builtOnce(
  compiler: string,
  args: readonly string[],
  read: readonly string[],
  file: string,
): Promise<Built> {
  const hash = createHash("sha256").update(JSON.stringify([compiler, args]));
  for (const source of read) hash.update(readFileSync(source));
  const folder = join(tmpdir(), `troupe-test-native-${process.getuid?.() ?? 0}`);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const { name, ext } = parse(file);
  const path = join(folder, `${name}-${hash.digest("hex").slice(0, 16)}${ext}`);
  if (existsSync(path)) return { path };
  const begun = building.get(path);
  if (begun !== undefined) return await begun;
  const built = compileTo(path, compiler, args);
  building.set(path, built);
  return await built;
}

/** Another process that does the same meanwhile isn't in the way. */
async function compileTo(path: string, compiler: string, args: readonly string[]): Promise<Built> {
  const fresh = `${path}.${process.pid}`;
  await run(compiler, ["-o", fresh, ...args]);
  renameSync(fresh, path);
  return { path };
}

/** An example of `sdks/rust`, by name. Cargo's files go to node_modules/.cache. */
export async function rustExample(name: string): Promise<Built> {
  const unloaded = whyNotLoaded("koffi");
  if (unloaded !== undefined) return { missing: unloaded };
  const suffix = process.platform === "darwin" ? "dylib" : "so";
  return await builtExample(`libtroupe_example_${name}.${suffix}`);
}

/** The same as a program of its own. */
export function rustProgram(name: string): Promise<Built> {
  return builtExample(`troupe-example-${name}`);
}

/** All examples are built together: one by one, those that need less of the SDK would have it compiled once more. */
async function builtExample(file: string): Promise<Built> {
  const built = await cargoOnce({}, ["build", "--release", "--locked", "--workspace"]);
  return built.missing === undefined ? { path: join(cargoTarget, "release", file) } : built;
}

/** An example of `sdks/rust` as a module of WebAssembly, by name: where Rust has its standard library for that. */
export async function rustWasmExample(name: string): Promise<Built> {
  const rustc = process.env.TROUPE_TEST_RUSTC_WASM;
  if (!rustc)
    return { missing: process.env.TROUPE_TEST_RUSTC_WASM_WHY || "no Rust with its library for WebAssembly" };
  const target = "wasm32-unknown-unknown";
  const args = ["build", "--release", "--locked", "--target", target, "-p", `troupe-example-${name}`];
  const built = await cargoOnce({ RUSTC: rustc }, args);
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
  const flags = ["--target=wasm32", "-std=c11", "-Wall", "-Wextra", "-Werror", "-O2", "-ffreestanding"];
  flags.push("-mbulk-memory", "-nostdlib", "-fvisibility=hidden", "-I", join(sdkC, "include"));
  flags.push("-isystem", join(sdkC, "wasm/include"));
  const read = [...headers(), ...wasmHeaders()];
  // The SDK is the most of it, and the same in all of them.
  const sources = wasmSources();
  const sdk = await builtOnce(clang, [...flags, "-r", ...sources], [...read, ...sources], "sdk-wasm.o");
  if (sdk.missing !== undefined) return sdk;
  const link = ["-Wl,--no-entry,--export-dynamic,--strip-all"];
  link.push("-Wl,--stack-first,-z,stack-size=262144,--max-memory=268435456");
  const own = [...programs, sdk.path];
  return await builtOnce(
    clang,
    [...flags, ...link, ...own],
    [...read, ...own, ...besides(programs)],
    `${name}.wasm`,
  );
}

/**
 * What cargo runs with, so that libraries, programs, templates and the SDK's own tests share what they need of others: all are
 * built with `--release`, in one folder. Not optimised, which takes a third of the time, and with the assertions of a debug
 * build; `npm run conformance -- plugin` tries what authors ship.
 */
export function cargoEnvironment(): NodeJS.ProcessEnv {
  return {
    CARGO_PROFILE_RELEASE_OPT_LEVEL: "0",
    CARGO_PROFILE_RELEASE_DEBUG_ASSERTIONS: "true",
    ...process.env,
    CARGO_TARGET_DIR: cargoTarget,
  };
}

/** Runs cargo in the Rust SDK. Rejects with what it said. */
export function cargo(...args: readonly string[]): Promise<Built> {
  return cargoWith({}, args);
}

/** What cargo has built for this process or is building, by its arguments: whether that is still new takes it a while to say. */
const builtByCargo = new Map<string, Promise<Built>>();

async function cargoOnce(env: NodeJS.ProcessEnv, args: readonly string[]): Promise<Built> {
  const what = args.join(" ");
  const built = builtByCargo.get(what) ?? cargoWith(env, args);
  builtByCargo.set(what, built);
  return await built;
}

async function cargoWith(env: NodeJS.ProcessEnv, args: readonly string[]): Promise<Built> {
  const path = process.env.TROUPE_TEST_CARGO;
  if (!path) return { missing: process.env.TROUPE_TEST_CARGO_WHY || "no cargo" };
  const how = {
    cwd: join(root, "sdks/rust"),
    env: { ...cargoEnvironment(), ...env },
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
