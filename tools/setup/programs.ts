/**
 * Programs that some tests need and npm can't bring: a browser, compilers. Each is looked for, and, where the
 * run may install things (`npm test` as root on Debian), installed. Tests learn the outcome from two environment
 * variables: `NAME` is the path, or empty, and then `NAME_WHY` says why.
 */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, isAbsolute, join } from "node:path";
import { installWithApt } from "./apt.ts";
import { type CachedPackage, cachedProgram, installWithNpm } from "./npm.ts";
import { rustcForWasm, rustForWasm } from "./rust-for-wasm.ts";

/** What a proof may take: a first start on a slow machine, and then some. */
const PROOF_MS = 60_000;

export interface NeededProgram {
  /** The environment variable that carries its path. */
  readonly variable: string;
  /** What people call it. */
  readonly title: string;
  /** Names it may have in the PATH, best first. */
  readonly names: readonly string[];
  /**
   * Brings it where it is missing, and says what it does if that takes long. Gives undefined when that worked, otherwise the
   * reason as the end of a sentence. None: nothing here can.
   */
  readonly provide?: (say: (line: string) => void) => Promise<string | undefined>;
  /** Arguments with which it ends well only if it is what is needed: an interpreter that has a module, for one. */
  readonly proof?: readonly string[];
}

const geminiCli: CachedPackage = { name: "@google/gemini-cli", version: "0.61.0" };
const pi: CachedPackage = {
  name: "pi-acp",
  version: "0.0.34",
  beside: ["@earendil-works/pi-coding-agent@0.87.1"],
};

const cargo: NeededProgram = {
  variable: "TROUPE_TEST_CARGO",
  title: "cargo (Rust 1.85 or later)",
  names: ["cargo"],
};

export const neededPrograms: readonly NeededProgram[] = [
  {
    variable: "TROUPE_TEST_CHROMIUM",
    title: "Chromium",
    names: ["chromium", "chromium-browser", "google-chrome"],
    provide: () => installWithApt(["chromium"]),
  },
  {
    variable: "TROUPE_TEST_CC",
    title: "a C compiler",
    names: ["gcc", "cc", "clang"],
    provide: () => installWithApt(["gcc", "libc6-dev"]),
  },
  {
    variable: "TROUPE_TEST_CLANG",
    title: "clang, which makes modules of WebAssembly",
    names: ["clang"],
    provide: () => installWithApt(["clang", "lld"]),
  },
  {
    variable: "TROUPE_TEST_WASM_LD",
    title: "wasm-ld, which links them",
    names: ["wasm-ld"],
    provide: () => installWithApt(["lld"]),
  },
  {
    variable: "TROUPE_TEST_BWRAP",
    title: "bubblewrap, in a place where it may make namespaces",
    names: ["bwrap"],
    provide: () => installWithApt(["bubblewrap"]),
    proof: ["--unshare-all", "--unshare-user", "--disable-userns", "--ro-bind", "/", "/", "true"],
  },
  cargo,
  {
    variable: "TROUPE_TEST_RUSTC_WASM",
    title: "Rust with its library for WebAssembly",
    names: ["rustc", rustcForWasm],
    // Large, and of no use alone.
    provide: async (say) =>
      findProgram(cargo, process.env).path === "" ? "there is no cargo to use it with" : rustForWasm(say),
    // An empty crate: it has the library, and it is new enough. Nothing is written.
    proof: [
      "--edition=2024",
      "--target=wasm32-unknown-unknown",
      "--crate-type=lib",
      "--emit=dep-info=-",
      "-",
    ],
  },
  {
    variable: "TROUPE_TEST_PYTHON",
    title: "python3 with grpcio",
    // The first one in the PATH may be a version manager's, for which Debian's modules aren't.
    names: ["python3", "/usr/bin/python3"],
    provide: () => installWithApt(["python3", "python3-grpcio"]),
    proof: ["-I", "-c", "import grpc"],
  },
  {
    variable: "TROUPE_TEST_PYFLAKES",
    title: "pyflakes",
    names: ["pyflakes3", "pyflakes"],
    provide: () => installWithApt(["pyflakes3"]),
    proof: ["--version"],
  },
  {
    variable: "TROUPE_TEST_GEMINI",
    title: `Gemini CLI ${geminiCli.version}`,
    names: [cachedProgram(geminiCli, "gemini")],
    provide: () => installWithNpm(geminiCli),
  },
  {
    variable: "TROUPE_TEST_PI",
    title: `Pi behind pi-acp ${pi.version}`,
    names: [cachedProgram(pi, "pi-acp")],
    provide: () => installWithNpm(pi),
  },
];

export interface FoundProgram {
  readonly program: NeededProgram;
  /** Empty when it isn't there. */
  readonly path: string;
  /** Why not; empty when it is there. */
  readonly why: string;
}

/** Looks for a program: the environment variable first, then the PATH. Installs nothing. */
export function findProgram(program: NeededProgram, env: NodeJS.ProcessEnv): FoundProgram {
  const given = env[program.variable];
  if (given) {
    const there = existsSync(given);
    return {
      program,
      path: there ? given : "",
      why: there ? "" : `${program.variable} names ${given}, which is not there`,
    };
  }
  const { names, proof } = program;
  const candidates = names.flatMap((name) => inPath(name, env.PATH ?? ""));
  const path = candidates.find((candidate) => proof === undefined || proves(candidate, proof)) ?? "";
  return { program, path, why: path === "" ? `${program.title} is not installed` : "" };
}

/** Looks for a program and brings it when it is missing and that is possible. */
export async function provideProgram(
  program: NeededProgram,
  env: NodeJS.ProcessEnv,
  say: (line: string) => void,
): Promise<FoundProgram> {
  const found = findProgram(program, env);
  if (found.path !== "" || env[program.variable] || program.provide === undefined) return found;
  // A full disk, say: tests that don't need it run all the same.
  const refusal = await program.provide(say).catch((error: unknown) => String(error));
  const again = findProgram(program, env);
  if (again.path !== "") return again;
  return { ...again, why: `${again.why}, and ${refusal ?? "its package did not bring it"}` };
}

/** The variables that tell tests about `found`. */
export function environmentOf(found: readonly FoundProgram[]): Record<string, string> {
  return Object.fromEntries(
    found.flatMap(({ program, path, why }) => [
      [program.variable, path],
      [`${program.variable}_WHY`, why],
    ]),
  );
}

function proves(path: string, proof: readonly string[]): boolean {
  return spawnSync(path, proof, { timeout: PROOF_MS, stdio: "ignore" }).status === 0;
}

function inPath(name: string, path: string): string[] {
  if (isAbsolute(name)) return existsSync(name) ? [name] : [];
  return path
    .split(delimiter)
    .map((folder) => join(folder, name))
    .filter((file) => existsSync(file));
}
