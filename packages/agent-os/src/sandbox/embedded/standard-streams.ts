/**
 * Standard streams: `/dev/stdin`, `/dev/stdout` and `/dev/stderr` as names of files for just-bash's commands, which know no streams but their own: `tee /dev/stderr`,
 * `awk '{ print > "/dev/stderr" }'`. The shell's own redirects to them are just-bash's.
 */
import type { Bash, Command, IFileSystem } from "just-bash";
import { decode, encode } from "./byte-text.ts";
import { correctEachCommand } from "./corrected-command.ts";

type Context = Parameters<Command["execute"]>[1];

const NAMED = /\/dev\/(?:stdin|stdout|stderr|fd\/[0-2])/;
const names: Readonly<Record<string, "stdin" | "stdout" | "stderr">> = {
  "/dev/stdin": "stdin",
  "/dev/stdout": "stdout",
  "/dev/stderr": "stderr",
  "/dev/fd/0": "stdin",
  "/dev/fd/1": "stdout",
  "/dev/fd/2": "stderr",
};

/** Gives each command that names one of them its own streams under these names. */
export function correctStreams(bash: Bash): void {
  correctEachCommand(
    bash,
    (execute) => (args, context) =>
      args.some((word) => NAMED.test(word)) ? withStreams(execute, args, context) : execute(args, context),
  );
}

async function withStreams(execute: Command["execute"], args: string[], context: Context) {
  const printed = { stdout: "", stderr: "" };
  const result = await execute(args, { ...context, fs: seen(context, printed) });
  const isBytes = result.stdoutKind === "bytes" || result.stdoutEncoding === "binary";
  const stdout = isBytes ? printed.stdout : decode(printed.stdout);
  return { ...result, stdout: result.stdout + stdout, stderr: result.stderr + decode(printed.stderr) };
}

/** The shell's files, where these names are the command's streams. What is printed is a string of bytes. */
function seen({ fs, stdin }: Context, printed: { stdout: string; stderr: string }): IFileSystem {
  const bytes = Buffer.from(String(stdin), "latin1");
  const write =
    (plain: IFileSystem["writeFile"]): IFileSystem["writeFile"] =>
    async (path, content, options) => {
      const stream = names[path];
      if (stream === undefined || stream === "stdin") return await plain(path, content, options);
      printed[stream] += stringOf(content, options);
    };
  const readBytes = fs.readFileBytes?.bind(fs);
  const isInput = (path: string) => names[path] === "stdin";
  const other: Partial<IFileSystem> = {
    readFile: async (path, options) => (isInput(path) ? decode(bytes) : await fs.readFile(path, options)),
    ...(readBytes === undefined
      ? {}
      : { readFileBytes: async (path: string) => (isInput(path) ? stdin : await readBytes(path)) }),
    readFileBuffer: async (path) => (isInput(path) ? bytes : await fs.readFileBuffer(path)),
    writeFile: write(fs.writeFile.bind(fs)),
    appendFile: write(fs.appendFile.bind(fs)),
    exists: async (path) => path in names || (await fs.exists(path)),
    stat: async (path) => await fs.stat(names[path] === undefined ? path : `/dev/${names[path]}`),
  };
  // No proxy: just-bash lets none be made while a script runs.
  const files: IFileSystem = Object.create(fs);
  return Object.assign(files, other);
}

function stringOf(content: string | Uint8Array, options: Parameters<IFileSystem["writeFile"]>[2]): string {
  const encoding = typeof options === "string" ? options : options?.encoding;
  if (typeof content === "string" && (encoding === "binary" || encoding === "latin1")) return content;
  return Buffer.from(typeof content === "string" ? encode(content) : content).toString("latin1");
}
