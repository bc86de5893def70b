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

/** What a proof may take: a first start on a slow machine, and then some. */
const PROOF_MS = 60_000;

export interface NeededProgram {
  /** The environment variable that carries its path. */
  readonly variable: string;
  /** What people call it. */
  readonly title: string;
  /** Names it may have in the PATH, best first. */
  readonly names: readonly string[];
  /** Debian's packages that bring it; none: it can't be installed from there. */
  readonly packages: readonly string[];
  /** What of npm's registry brings it, into a folder of the cache: too large for everybody's `npm install`. */
  readonly npm?: CachedPackage;
  /** Arguments with which it ends well only if it is what is needed: an interpreter that has a module, for one. */
  readonly proof?: readonly string[];
}

const geminiCli: CachedPackage = { name: "@google/gemini-cli", version: "0.61.0" };
const pi: CachedPackage = {
  name: "pi-acp",
  version: "0.0.34",
  beside: ["@earendil-works/pi-coding-agent@0.87.1"],
};

export const neededPrograms: readonly NeededProgram[] = [
  {
    variable: "TROUPE_TEST_CHROMIUM",
    title: "Chromium",
    names: ["chromium", "chromium-browser", "google-chrome"],
    packages: ["chromium"],
  },
  {
    variable: "TROUPE_TEST_CC",
    title: "a C compiler",
    names: ["gcc", "cc", "clang"],
    packages: ["gcc", "libc6-dev"],
  },
  {
    variable: "TROUPE_TEST_CLANG",
    title: "clang, which makes modules of WebAssembly",
    names: ["clang"],
    packages: ["clang", "lld"],
  },
  {
    variable: "TROUPE_TEST_WASM_LD",
    title: "wasm-ld, which links them",
    names: ["wasm-ld"],
    packages: ["lld"],
  },
  {
    variable: "TROUPE_TEST_BWRAP",
    title: "bubblewrap, in a place where it may make namespaces",
    names: ["bwrap"],
    packages: ["bubblewrap"],
    proof: ["--unshare-all", "--unshare-user", "--disable-userns", "--ro-bind", "/", "/", "true"],
  },
  {
    variable: "TROUPE_TEST_CARGO",
    title: "cargo (Rust 1.85 or later)",
    names: ["cargo"],
    // Debian's is older than the crate takes.
    packages: [],
  },
  {
    variable: "TROUPE_TEST_PYTHON",
    title: "python3 with grpcio",
    // The first one in the PATH may be a version manager's, for which Debian's modules aren't.
    names: ["python3", "/usr/bin/python3"],
    packages: ["python3", "python3-grpcio"],
    proof: ["-I", "-c", "import grpc"],
  },
  {
    variable: "TROUPE_TEST_PYFLAKES",
    title: "pyflakes",
    names: ["pyflakes3", "pyflakes"],
    packages: ["pyflakes3"],
    proof: ["--version"],
  },
  {
    variable: "TROUPE_TEST_GEMINI",
    title: `Gemini CLI ${geminiCli.version}`,
    names: [cachedProgram(geminiCli, "gemini")],
    packages: [],
    npm: geminiCli,
  },
  {
    variable: "TROUPE_TEST_PI",
    title: `Pi behind pi-acp ${pi.version}`,
    names: [cachedProgram(pi, "pi-acp")],
    packages: [],
    npm: pi,
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

/** Looks for a program and installs it when it is missing and that is possible. */
export async function provideProgram(program: NeededProgram, env: NodeJS.ProcessEnv): Promise<FoundProgram> {
  const found = findProgram(program, env);
  const { packages, npm } = program;
  if (found.path !== "" || env[program.variable] || (packages.length === 0 && npm === undefined))
    return found;
  const refusal = npm === undefined ? await installWithApt(packages) : await installWithNpm(npm);
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
