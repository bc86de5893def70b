/**
 * Launch: how a worker's process is started from its manifest.
 *
 * With a digest the process runs the very bytes that were checked: a program from a private copy, a module by standard
 * input. Without one it runs the file by its name.
 */
import { writeFile } from "node:fs/promises";
import { dirname, extname, join } from "node:path";
import { fileErrors } from "../../errors.ts";
import { type CheckedFile, checkFile, type Origin } from "../../manifest/checked-file.ts";
import type { WorkerLoad } from "../../manifest/manifest.ts";

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
  readonly load: WorkerLoad;
  readonly origin: Origin;
  /** A folder that is the process's own, for the copy. */
  readonly folder: string;
}

/** Checks the entry point and plans the start. Throws `plugin.file_*` and `plugin.integrity_mismatch`. */
export async function planLaunch(plan: LaunchPlan): Promise<Launch> {
  const { load, origin } = plan;
  const entry = await checkFile({
    origin,
    key: "load.entrypoint",
    path: load.entrypoint,
    sha256: load.sha256,
  });
  const started = load.runtime === "node" ? nodeModule(plan, entry) : await command(plan, entry);
  return { cwd: dirname(entry.path), env: grantedEnvironment(load.env), ...started };
}

function nodeModule(
  { load, origin }: LaunchPlan,
  entry: CheckedFile,
): Pick<Launch, "program" | "args" | "stdin"> {
  const type = moduleTypes.get(extname(entry.path));
  if (type === undefined)
    throw fileErrors.notPlain(
      origin.file,
      "load.entrypoint",
      entry.path,
      "no ES module by its name (.js, .mjs, .ts, .mts)",
    );
  const module = entry.bytes === undefined ? [entry.path] : [`--input-type=${type}`, "-"];
  return {
    program: process.execPath,
    args: [...hostConditions(process.execArgv), ...module, ...load.args],
    stdin: entry.bytes,
  };
}

const moduleTypes: ReadonlyMap<string, string> = new Map([
  [".js", "module"],
  [".mjs", "module"],
  [".ts", "module-typescript"],
  [".mts", "module-typescript"],
]);

async function command(
  { load, folder }: LaunchPlan,
  entry: CheckedFile,
): Promise<Pick<Launch, "program" | "args" | "stdin">> {
  if (entry.bytes === undefined) return { program: entry.path, args: load.args, stdin: undefined };
  const program = join(folder, "program");
  await writeFile(program, entry.bytes, { mode: 0o500, flag: "wx" });
  return { program, args: load.args, stdin: undefined };
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
