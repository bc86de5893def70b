/** The operations of a worker, on a shell and its files. */
import { HOME } from "../home.ts";
import type { DirectoryEntry, ExecResult, FileStat } from "../sandbox.ts";
import { shellWord } from "../shell-word.ts";
import { encode, readable } from "./byte-text.ts";
import type { Operation, OperationResults, ProcessResult, ShellLine } from "./messages.ts";
import { checkPath } from "./path-names.ts";
import type { Shell } from "./shell.ts";
import { behindExitCode } from "./shell-state.ts";

type Result = OperationResults[Operation["kind"]];

/** Does one operation. Rejects with what the file system says: "ENOENT: …". */
export async function run(shell: Shell, operation: Operation): Promise<Result> {
  const { files } = shell;
  if ("path" in operation && operation.kind !== "exists") checkPath(operation.path);
  if ("to" in operation) checkPath(operation.to);
  switch (operation.kind) {
    case "exec":
      return await exec(shell, operation);
    case "process":
      return await runProcess(shell, operation);
    case "line":
      return await runLine(shell, operation);
    case "readFile":
      await checkNoDevice(shell, operation.path);
      return await files.readFileBuffer(operation.path);
    case "writeFile":
      await checkNoDevice(shell, operation.path);
      await makeAbove(shell, operation.path);
      return void (await files.writeFile(operation.path, operation.content));
    case "stat":
      return await statOf(shell, operation.path);
    case "exists":
      return await files.exists(operation.path);
    case "readdir":
      return await entriesOf(shell, operation.path);
    case "mkdir":
      return void (await files.mkdir(operation.path, { recursive: operation.recursive }));
    case "move":
      await makeAbove(shell, operation.to);
      return void (await files.mv(operation.path, operation.to));
    case "remove":
      return void (await files.rm(operation.path, { recursive: operation.recursive }));
    case "open":
      return undefined;
  }
}

/** Makes the directories above a path, unless something is there. */
async function makeAbove({ files }: Shell, path: string): Promise<void> {
  const above = path.slice(0, path.lastIndexOf("/"));
  const isThere = async () =>
    await files.lstat(above).then(
      () => true,
      () => false,
    );
  if (above !== "" && !(await isThere())) await files.mkdir(above, { recursive: true });
}

/** Operations are for files: what gives bytes without an end is a command's. */
async function checkNoDevice({ files }: Shell, path: string): Promise<void> {
  const stat = await files.stat(path).catch(() => undefined);
  if (stat !== undefined && !stat.isFile && !stat.isDirectory)
    throw new Error(`EINVAL: '${path}' is a device, and no file`);
}

async function exec(shell: Shell, operation: Operation & { kind: "exec" }): Promise<ExecResult> {
  const { cwd, env, stdin } = operation.options;
  const result = await shell.bash.exec(operation.command, {
    cwd: await startOf(shell, cwd),
    ...(env === undefined ? {} : { env: { ...env } }),
    ...(stdin === undefined ? {} : { stdin }),
  });
  const printed = { stdout: readable(result.stdout), stderr: readable(result.stderr) };
  const stdout = cut(printed.stdout, shell.outputBytes);
  const stderr = cut(printed.stderr, shell.outputBytes);
  return {
    exitCode: result.exitCode,
    stdout,
    stderr,
    truncated: stdout.length < printed.stdout.length || stderr.length < printed.stderr.length,
  };
}

async function runProcess(shell: Shell, operation: Operation & { kind: "process" }): Promise<ProcessResult> {
  const { command, args, cwd, env } = operation.command;
  // What isn't exported a shell in the shell wouldn't see.
  const exported = Object.keys(env ?? {}).filter((name) => /^[A-Za-z_]\w*$/.test(name));
  const exports = exported.length === 0 ? "" : `export ${exported.join(" ")}; `;
  const words = [command, ...args].map(shellWord).join(" ");
  const result = await shell.tap.run(shell.bash, exports + words, {
    cwd: await startOf(shell, cwd),
    stdin: Buffer.from(operation.stdin).toString("latin1"),
    stdinKind: "bytes",
    rawScript: true,
    ...(env === undefined ? {} : { env: { ...env } }),
  });
  return outputOf(shell, result);
}

/** Where a command starts. Throws where a caller's place is none: just-bash would go on as if it were one. */
async function startOf({ files }: Shell, cwd: string | undefined): Promise<string> {
  if (cwd === undefined) return HOME;
  const path = files.resolvePath(HOME, cwd);
  if (!(await files.exists(path))) throw new Error(`ENOENT: there is no directory '${path}' to start in`);
  if (!(await files.stat(path)).isDirectory)
    throw new Error(`ENOTDIR: '${path}' is no directory to start in`);
  return path;
}

async function runLine(shell: Shell, { line, env, lastExitCode }: ShellLine): Promise<ProcessResult> {
  const { bash } = shell;
  if (shell.isIncomplete(line))
    return { exitCode: 0, stdout: new Uint8Array(), stderr: new Uint8Array(), env, incomplete: true };
  const options = { cwd: env.PWD ?? HOME, env: { ...env }, rawScript: true };
  const result = await behindExitCode(bash, lastExitCode, () => bash.exec(line, options));
  const output = outputOf(shell, { ...result, stdout: encode(result.stdout) });
  if (bytesOf(result.env) <= shell.variableBytes) return { ...output, env: result.env };
  // They are kept by the runtime while nothing runs, for each shell that is open.
  const refused = Buffer.from(
    `the shell's variables took more than ${shell.variableBytes} bytes: they are as before this line\n`,
  );
  return { ...output, exitCode: 1, stderr: Buffer.concat([output.stderr, refused]), env };
}

function bytesOf(variables: Readonly<Record<string, string>>): number {
  let bytes = 0;
  for (const [name, value] of Object.entries(variables))
    bytes += Buffer.byteLength(name) + Buffer.byteLength(value);
  return bytes;
}

function outputOf(
  { processOutputBytes }: Shell,
  printed: { readonly exitCode: number; readonly stdout: Uint8Array; readonly stderr: string },
): ProcessResult {
  return {
    exitCode: printed.exitCode,
    // Who hears one byte too much ends the process for it.
    stdout: printed.stdout.subarray(0, processOutputBytes + 1),
    stderr: encode(printed.stderr).subarray(0, processOutputBytes + 1),
  };
}

/** The beginning of a text, at most so many bytes of UTF-8, in whole characters. */
function cut(text: string, bytes: number): string {
  const encoded = Buffer.from(text);
  if (encoded.byteLength <= bytes) return text;
  const decoder = new TextDecoder();
  // A decoder that expects more keeps back the character that the cut went through.
  return decoder.decode(encoded.subarray(0, bytes), { stream: true });
}

async function entriesOf({ files }: Shell, path: string): Promise<DirectoryEntry[]> {
  if ("readdirWithFileTypes" in files) {
    const entries = await files.readdirWithFileTypes(path);
    return entries.map((entry) => ({ name: entry.name, type: typeOf(entry) }));
  }
  const names = await files.readdir(path);
  const below = (name: string) => `${path === "/" ? "" : path}/${name}`;
  return await Promise.all(
    names.map(async (name) => ({ name, type: typeOf(await files.lstat(below(name))) })),
  );
}

async function statOf({ files }: Shell, path: string): Promise<FileStat> {
  const stat = await files.stat(path);
  return { type: typeOf(stat), size: stat.size, mode: stat.mode, modifiedAt: stat.mtime.getTime() };
}

function typeOf(entry: {
  readonly isDirectory: boolean;
  readonly isSymbolicLink: boolean;
}): FileStat["type"] {
  if (entry.isSymbolicLink) return "symlink";
  return entry.isDirectory ? "directory" : "file";
}
