/** Ln command: just-bash's `ln` knows two operands, and takes a directory, or a link to one, for a name that is taken. Here links are made inside of it. */
import type { Bash, Command } from "just-bash";
import { correctCommand } from "./corrected-command.ts";

const SHORT: Readonly<Record<string, string>> = {
  "--force": "f",
  "--no-dereference": "n",
  "--no-target-directory": "T",
  "--symbolic": "s",
  "--verbose": "v",
};

/** Makes `ln TARGET... DIRECTORY` link into the directory. */
export function correctLn(bash: Bash): void {
  correctCommand(bash, "ln", link);
}

function link(execute: Command["execute"]): Command["execute"] {
  return async (args, context) => {
    const { letters, operands } = wordsOf(args);
    const last = operands.length === 1 ? "." : operands.at(-1);
    const targets = operands.length === 1 ? operands : operands.slice(0, -1);
    if (letters === undefined || last === undefined) return await execute(args, context);
    const { fs, cwd } = context;
    const path = fs.resolvePath(cwd, last);
    const look = letters.includes("n") ? fs.lstat(path) : fs.stat(path);
    const isInto =
      !letters.includes("T") &&
      (await look.then(
        ({ isDirectory }) => isDirectory,
        () => false,
      ));
    if (!isInto && targets.length > 1) {
      const stderr = `ln: target '${last}': No such file or directory\n`;
      return { stdout: "", stderr, exitCode: 1 };
    }
    const options = [...letters.replaceAll(/[nT]/g, "")].map((letter) => `-${letter}`);
    const all = { stdout: "", stderr: "", exitCode: 0 };
    for (const target of targets) {
      const name = isInto ? `${last.replace(/\/+$/, "")}/${baseOf(target)}` : last;
      const { stdout, stderr, exitCode } = await execute([...options, "--", target, name], context);
      all.stdout += stdout;
      all.stderr += stderr;
      all.exitCode ||= exitCode;
    }
    return all;
  };
}

/** Its options, each a letter, where all are known, and what they are for. */
function wordsOf(args: readonly string[]): {
  readonly letters: string | undefined;
  readonly operands: readonly string[];
} {
  let letters = "";
  let at = 0;
  for (; at < args.length; at++) {
    const word = args[at] ?? "";
    if (word === "--") return { letters, operands: args.slice(at + 1) };
    if (!/^-./.test(word)) break;
    const short = SHORT[word] ?? /^-(?<short>[fnsvT]+)$/.exec(word)?.groups?.short;
    if (short === undefined) return { letters: undefined, operands: [] };
    letters += short;
  }
  return { letters, operands: args.slice(at) };
}

function baseOf(path: string): string {
  return path.replace(/\/+$/, "").split("/").at(-1) ?? path;
}
