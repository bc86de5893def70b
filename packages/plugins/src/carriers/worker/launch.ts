/**
 * Launch: how a worker's process is started from its manifest.
 *
 * With digests the process runs the very bytes that were checked: programs and scripts from a private copy of the listed
 * files, modules through a loader that compares what it reads. Without them it runs the file by its name. A native
 * plugin's process is a program of ours, which loads the library.
 */
import { accessSync, constants } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { delimiter, dirname, extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { sourceArguments } from "@troupe/base";
import { fileErrors } from "../../errors.ts";
import { type CheckedFile, checkFile, type Origin } from "../../manifest/checked-file.ts";
import { digestsOf, entryOf, type NativeLoad, type WorkerLoad } from "../../manifest/load.ts";
import type { HandedLibrary, HandedModules } from "../../worker/handed-over.ts";

/** A process to be started. */
export interface Launch {
  readonly program: string;
  readonly args: readonly string[];
  readonly cwd: string;
  /** All of it. */
  readonly env: Readonly<Record<string, string>>;
  /** What it reads from standard input; nothing: it has none. */
  readonly stdin: Uint8Array | undefined;
}

/** What a launch is made from. */
export interface LaunchPlan {
  readonly load: WorkerLoad | NativeLoad;
  readonly origin: Origin;
  /** A folder that is the process's own, for copies. */
  readonly folder: string;
  /** A library in place of a native plugin's: it isn't compared with anything. */
  readonly override?: string | undefined;
}

type Started = Pick<Launch, "program" | "args" | "stdin">;

/** Checks every file that the manifest has a digest of, and plans the start. Throws `plugin.file_*` and `plugin.integrity_mismatch`. */
export async function planLaunch({ load, origin, folder, override }: LaunchPlan): Promise<Launch> {
  if (override !== undefined)
    return { cwd: dirname(override), env: {}, ...nativeLibrary(undefined, override) };
  const entry = await checkFile({ origin, ...entryOf(load), sha256: load.sha256 });
  const started = await start(load, { entry, origin, folder });
  const env = load.kind === "worker" ? grantedEnvironment(load.env) : {};
  return { cwd: dirname(entry.path), env, ...started };
}

interface Entered {
  readonly entry: CheckedFile;
  readonly origin: Origin;
  readonly folder: string;
}

async function start(load: WorkerLoad | NativeLoad, entered: Entered): Promise<Started> {
  if (load.kind === "native") return nativeLibrary(load.sha256, entered.entry.path);
  if (load.runtime === "node") return await nodeModule(load, entered);
  const path = await copied(load, entered);
  if (load.runtime === "python") {
    // -I: neither the environment nor the working directory says what is imported; -B: nothing is written beside it.
    const args = ["-I", "-B", "-c", PYTHON_MAIN, path, ...load.args];
    return { program: findPython(entered.origin), args, stdin: undefined };
  }
  return { program: path, args: load.args, stdin: undefined };
}

/** Modules beside the script can be imported, which -I alone would forbid. */
const PYTHON_MAIN = [
  "import os, runpy, sys",
  "sys.argv = sys.argv[1:]",
  "sys.path.insert(0, os.path.dirname(sys.argv[0]))",
  "runpy.run_path(sys.argv[0], run_name='__main__')",
].join("; ");

function nativeLibrary(sha256: string | undefined, library: string): Started {
  const handed: HandedLibrary = { library, sha256: sha256 ?? null };
  return ourProgram("native-main", [], handed);
}

async function nodeModule(load: WorkerLoad, { entry, origin }: Entered): Promise<Started> {
  if (!/^\.m?[jt]s$/.test(extname(entry.path)))
    throw fileErrors.notPlain(
      origin.file,
      "load.entrypoint",
      entry.path,
      "no ES module by its name (.js, .mjs, .ts, .mts)",
    );
  const digests = digestsOf(load);
  if (digests.size === 0) {
    const args = [...hostConditions(process.execArgv), entry.path, ...load.args];
    return { program: process.execPath, args, stdin: undefined };
  }
  await checkFiles(load, origin);
  const { file: manifest, folder } = origin;
  const handed: HandedModules = { manifest, folder, entry: entry.path, digests: [...digests] };
  return ourProgram("checked-main", load.args, handed);
}

/** A program of this package, told what to run. */
function ourProgram(name: string, more: readonly string[], handed: HandedModules | HandedLibrary): Started {
  const suffix = extname(import.meta.url);
  const main = fileURLToPath(new URL(`../../worker/${name}${suffix}`, import.meta.url));
  const conditions = hostConditions(process.execArgv);
  return {
    program: process.execPath,
    args: [...conditions, ...sourceArguments(main, process.env.NODE_COMPILE_CACHE), main, ...more],
    stdin: Buffer.from(JSON.stringify(handed)),
  };
}

/** The path of the entry among private copies of all listed files; the file itself where none is listed. */
async function copied(load: WorkerLoad, { entry, origin, folder }: Entered): Promise<string> {
  if (entry.bytes === undefined) return entry.path;
  const copies = join(folder, "plugin");
  const write = async (path: string, bytes: Uint8Array | undefined, mode: number): Promise<string> => {
    const copy = join(copies, path);
    await mkdir(dirname(copy), { recursive: true, mode: 0o700 });
    await writeFile(copy, bytes ?? new Uint8Array(0), { mode, flag: "wx" });
    return copy;
  };
  for (const [path, { bytes }] of await checkFiles(load, origin)) await write(path, bytes, 0o400);
  return await write(load.entrypoint, entry.bytes, 0o500);
}

async function checkFiles({ files }: WorkerLoad, origin: Origin): Promise<ReadonlyMap<string, CheckedFile>> {
  const checked = new Map<string, CheckedFile>();
  for (const [path, sha256] of files)
    checked.set(path, await checkFile({ origin, key: `integrity.files."${path}"`, path, sha256 }));
  return checked;
}

function findPython({ file }: Origin): string {
  const named = process.env.TROUPE_PYTHON;
  if (named) return named;
  const paths = (process.env.PATH ?? "").split(delimiter).filter(Boolean);
  const found = paths.map((folder) => join(folder, "python3")).find(isExecutable);
  if (found === undefined) throw fileErrors.noPython(file);
  return found;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function grantedEnvironment(names: readonly string[]): Record<string, string> {
  const granted: Record<string, string> = {};
  for (const name of names) {
    const value = process.env[name];
    if (value !== undefined) granted[name] = value;
  }
  return granted;
}

/** `--conditions` of the host: its workers resolve packages as it does itself. */
export function hostConditions(execArgv: readonly string[]): string[] {
  return execArgv.flatMap((argument, index) => {
    if (/^(--conditions|-C)=/.test(argument)) return [argument];
    const value = execArgv[index + 1];
    return /^(--conditions|-C)$/.test(argument) && value !== undefined ? [`--conditions=${value}`] : [];
  });
}
