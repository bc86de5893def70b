/** The Python that workers of tests run in: one that has grpcio. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";

/** The path of an interpreter, or why there is none. */
export type FoundPython = { readonly path: string; readonly missing?: never } | { readonly missing: string };

let found: Promise<FoundPython> | undefined;

/** Looks once; hosts of this process run Python workers with what was found. */
export function findPython(): Promise<FoundPython> {
  found ??= look();
  return found;
}

async function look(): Promise<FoundPython> {
  const candidates = [
    process.env.TROUPE_TEST_PYTHON,
    process.env.TROUPE_PYTHON,
    "python3",
    "/usr/bin/python3",
  ];
  for (const candidate of candidates) {
    if (!candidate) continue;
    try {
      const said = await promisify(execFile)(candidate, [
        "-I",
        "-c",
        "import grpc, sys; print(sys.executable)",
      ]);
      process.env.TROUPE_PYTHON = said.stdout.trim();
      return { path: said.stdout.trim() };
    } catch {
      // Another one may have it.
    }
  }
  return {
    missing: process.env.TROUPE_TEST_PYTHON_WHY || "no python3 with grpcio (TROUPE_PYTHON may name one)",
  };
}
