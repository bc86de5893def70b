/** Commands of just-bash that are done in another way, and what they say of files. */
import type { Bash, Command, CommandContext, IFileSystem } from "just-bash";
import { FILE_WORDS, inWords } from "./file-words.ts";

/** Those that say of whatever they can't open that it isn't there. */
const READERS = "cat chmod cp cut head ls rm sort stat tac tail tee touch uniq wc".split(" ");
/** A line of one of them. */
const MISSING =
  /^\w+: (?:cannot [a-z ]+ )?(?:'(?=.*'))?(?<name>.+?)'?(?: for reading)?: No such file or directory$/;

/** Puts what `correct` makes of a command in its place; where there is none of that name nothing. */
export function correctCommand(
  bash: Bash,
  name: string,
  correct: (execute: Command["execute"]) => Command["execute"],
): void {
  const command = commandsOf(bash)?.get(name);
  if (command === undefined) return;
  const execute = correct((args, context) => command.execute(args, context));
  bash.registerCommand({ ...command, execute });
}

/** Puts what `correct` makes of each command in its place. */
export function correctEachCommand(
  bash: Bash,
  correct: (execute: Command["execute"]) => Command["execute"],
): void {
  for (const command of commandsOf(bash)?.values() ?? []) {
    const { execute } = command;
    command.execute = correct((args, context) => execute.call(command, args, context));
  }
}

/** Those that change files, and run no others, whose words are their own. */
const CHANGERS =
  "chmod cp curl gunzip gzip ln mkdir mv rm rmdir sed sort split tar tee touch truncate unzip".split(" ");

/** The same of a command that stays just-bash's own: one that was put there is told less of the shell that runs it. */
export function amendCommand(
  bash: Bash,
  name: string,
  amend: (execute: Command["execute"]) => Command["execute"],
): void {
  const command = commandsOf(bash)?.get(name);
  if (command === undefined) return;
  const { execute } = command;
  command.execute = amend((args, context) => execute.call(command, args, context));
}

/** What the file system says, commands that change files say as other programs do. */
export function correctWords(bash: Bash): void {
  for (const name of CHANGERS)
    amendCommand(bash, name, (execute) => async (args, context) => {
      const result = await execute(args, context);
      return { ...result, stderr: inWords(result.stderr) };
    });
  for (const name of READERS)
    amendCommand(bash, name, (execute) => async (args, context) => {
      const result = await execute(args, context);
      const { stderr } = result;
      return stderr === "" ? result : { ...result, stderr: await withReasons(stderr, context) };
    });
}

/** Says of a path that was not to be opened that it is a directory, or that there is a file above it, where it is so. */
async function withReasons(printed: string, { fs, cwd }: CommandContext): Promise<string> {
  const lines = printed.split("\n").map(async (line) => {
    const name = MISSING.exec(line)?.groups?.name;
    if (name === undefined) return line;
    const why = await reason(fs, fs.resolvePath(cwd, name));
    return why === undefined ? line : line.replace(/No such file or directory$/, why);
  });
  return (await Promise.all(lines)).join("\n");
}

async function reason(fs: IFileSystem, path: string): Promise<string | undefined> {
  for (let at = path; at !== ""; at = at.slice(0, at.lastIndexOf("/"))) {
    const stat = await fs.stat(at).catch(() => undefined);
    if (stat === undefined) continue;
    if (at === path) return stat.isDirectory ? FILE_WORDS.EISDIR : undefined;
    return stat.isDirectory ? undefined : FILE_WORDS.ENOTDIR;
  }
  return path === "" || path === "/" ? FILE_WORDS.EISDIR : undefined;
}

function commandsOf(bash: Bash): Map<string, Command> | undefined {
  const commands: unknown = Reflect.get(bash, "commands");
  return commands instanceof Map ? commands : undefined;
}
