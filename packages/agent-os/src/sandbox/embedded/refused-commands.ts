/**
 * Refused commands: what other systems refuse and just-bash does without a word, so that a script goes on as if it were done: to move a file onto itself, and
 * to unpack an archive into a directory that isn't there.
 */
import type { Bash, CommandContext, ExecResult } from "just-bash";
import { correctCommand } from "./corrected-command.ts";

type Refusal = (args: readonly string[], context: CommandContext) => Promise<ExecResult | undefined>;

/** An option of `tar` that names a directory: in the same word or the next one. */
const DIRECTORY = /^(?:-[a-zA-Z]*C|--directory)(?:=?(?<value>.+))?$/;

const refusals: Readonly<Record<string, Refusal>> = {
  mv: async (args, { fs, cwd }) => {
    const [from, to, ...more] = args.filter((word) => !word.startsWith("-"));
    if (from === undefined || to === undefined || more.length > 0) return undefined;
    const path = fs.resolvePath(cwd, from);
    if (path !== fs.resolvePath(cwd, to) || !(await fs.exists(path))) return undefined;
    const why = (await fs.lstat(path)).isDirectory
      ? `cannot move '${from}' to a subdirectory of itself, '${to}'`
      : `'${from}' and '${to}' are the same file`;
    return refused(1, `mv: ${why}\n`);
  },
  tar: async (args, { fs, cwd }) => {
    let at = cwd;
    const words = args.values();
    for (const word of words) {
      const option = DIRECTORY.exec(word);
      const name = option?.groups?.value ?? (option === null ? undefined : words.next().value);
      if (name === undefined) continue;
      at = fs.resolvePath(at, name);
      const stat = await fs.stat(at).catch(() => undefined);
      if (stat?.isDirectory === true) continue;
      const why = stat === undefined ? "No such file or directory" : "Not a directory";
      return refused(2, `tar: ${name}: Cannot open: ${why}\ntar: Error is not recoverable: exiting now\n`);
    }
    return undefined;
  },
};

/** Puts them in the place of the shell's own. */
export function correctRefusedCommands(bash: Bash): void {
  for (const [name, refusal] of Object.entries(refusals))
    correctCommand(
      bash,
      name,
      (execute) => async (args, context) => (await refusal(args, context)) ?? (await execute(args, context)),
    );
}

function refused(exitCode: number, stderr: string): ExecResult {
  return { stdout: "", stderr, exitCode };
}
