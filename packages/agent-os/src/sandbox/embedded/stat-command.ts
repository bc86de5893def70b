/** Stat command: just-bash's `stat` knows `-c`, ten of its letters, and what a link leads to. Here it has the rest of what scripts ask. */
import type { Bash, CommandContext, ExecResult, FsStat, IFileSystem } from "just-bash";
import { correctCommand } from "./corrected-command.ts";

interface Call {
  readonly format: string;
  /** `--printf`: no line ends behind it. */
  readonly end: string;
  readonly isFollowing: boolean;
  readonly files: readonly string[];
}

/** Makes `stat -c`, `--format` and `--printf` say what a file is. */
export function correctStat(bash: Bash): void {
  correctCommand(bash, "stat", (execute) => async (args, context) => {
    const call = callOf(args);
    if (call === undefined) return await execute(args, context);
    const all = { stdout: "", stderr: "", exitCode: 0 };
    for (const file of call.files) {
      const { stdout, stderr, exitCode } = await told(call, file, context);
      all.stdout += stdout;
      all.stderr += stderr;
      all.exitCode ||= exitCode;
    }
    return all;
  });
}

/** `undefined`: it has no format, or words that aren't known. */
function callOf(args: readonly string[]): Call | undefined {
  let format: string | undefined;
  let end = "\n";
  let isFollowing = false;
  const files: string[] = [];
  const words = args.values();
  for (const word of words) {
    const long = /^--(?<name>format|printf)=(?<value>.*)$/s.exec(word)?.groups;
    const short = /^-(?<follows>L*)c(?<value>.*)$/s.exec(word)?.groups;
    if (long !== undefined) {
      format = long.name === "printf" ? escaped(long.value ?? "") : long.value;
      end = long.name === "printf" ? "" : "\n";
    } else if (word === "--format" || short !== undefined) {
      isFollowing ||= (short?.follows ?? "") !== "";
      format = short?.value || words.next().value;
    } else if (word === "--printf") {
      format = escaped(words.next().value ?? "");
      end = "";
    } else if (word === "-L" || word === "--dereference") isFollowing = true;
    else if (word === "--") files.push(...words);
    else if (word.startsWith("-")) return undefined;
    else files.push(word);
  }
  return format === undefined || files.length === 0 ? undefined : { format, end, isFollowing, files };
}

async function told(
  { format, end, isFollowing }: Call,
  file: string,
  { fs, cwd }: CommandContext,
): Promise<ExecResult> {
  const path = await placeOf(fs, fs.resolvePath(cwd, file));
  const stat = await (isFollowing ? fs.stat(path) : fs.lstat(path)).catch(() => undefined);
  if (stat === undefined) {
    const stderr = `stat: cannot statx '${file}': No such file or directory\n`;
    return { stdout: "", stderr, exitCode: 1 };
  }
  const target = stat.isSymbolicLink ? await fs.readlink(path) : undefined;
  const size = target === undefined ? stat.size : Buffer.byteLength(target);
  const letters = lettersOf(file, { ...stat, size }, target);
  const line = format.replace(/%(?<width>[-0]?\d*)(?<letter>[a-zA-Z%])/g, (whole, width: string, letter) => {
    const value = letter === "%" ? "%" : letters[letter];
    if (value === undefined) return whole;
    return width.startsWith("-")
      ? value.padEnd(-Number(width))
      : value.padStart(Number(width), width.startsWith("0") ? "0" : " ");
  });
  return { stdout: line + end, stderr: "", exitCode: 0 };
}

function lettersOf(file: string, stat: FsStat, target: string | undefined): Record<string, string> {
  const { size, mtime, mode } = stat;
  const seconds = String(Math.floor(mtime.getTime() / 1000));
  const time = `${mtime.toISOString().replace("T", " ").replace("Z", "000000")} +0000`;
  const modes = modeWords(stat);
  const kind = {
    "-": size === 0 ? "regular empty file" : "regular file",
    d: "directory",
    l: "symbolic link",
  };
  const letter = target !== undefined ? "l" : stat.isDirectory ? "d" : "-";
  const full = { "-": 0o100000, d: 0o040000, l: 0o120000 }[letter] | (mode & 0o7777);
  return {
    ...{ n: file, N: target === undefined ? `'${file}'` : `'${file}' -> '${target}'` },
    ...{ s: String(size), b: String(Math.ceil(size / 512)), B: "512", o: "4096", h: "1", i: "0", d: "0" },
    ...{ F: kind[letter], a: (mode & 0o7777).toString(8), A: modes, f: full.toString(16) },
    ...{ u: "1000", U: "user", g: "1000", G: "user" },
    ...{ X: seconds, Y: seconds, Z: seconds, W: "0", x: time, y: time, z: time, w: "-" },
  };
}

/** The path without links above its last part, which may be one: the shell's files know a link only where no other is above it. */
export async function placeOf(fs: IFileSystem, path: string): Promise<string> {
  const cut = path.lastIndexOf("/");
  const above = cut <= 0 ? undefined : await fs.realpath(path.slice(0, cut)).catch(() => undefined);
  return above === undefined ? path : `${above === "/" ? "" : above}${path.slice(cut)}`;
}

/** As `ls -l` has it. */
export function modeWords({ mode, isDirectory, isSymbolicLink }: FsStat): string {
  if (isSymbolicLink) return "lrwxrwxrwx";
  const bits = [..."rwxrwxrwx"].map((letter, at) => ((mode >> (8 - at)) & 1 ? letter : "-"));
  return (isDirectory ? "d" : "-") + bits.join("");
}

function escaped(format: string): string {
  return format.replace(/\\(?<letter>[nt0\\])/g, (_, letter: string) =>
    letter === "n" ? "\n" : letter === "t" ? "\t" : letter === "0" ? "\0" : "\\",
  );
}
