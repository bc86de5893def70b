/** Commands of just-bash that are done in another way, and what they say of files. */
import type { Bash, Command } from "just-bash";
import { inWords } from "./file-words.ts";

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

/** What the file system says, commands that change files say as other programs do. */
export function correctWords(bash: Bash): void {
  for (const name of CHANGERS) {
    const command = commandsOf(bash)?.get(name);
    if (command === undefined) continue;
    const { execute } = command;
    command.execute = async (args, context) => {
      const result = await execute(args, context);
      return { ...result, stderr: inWords(result.stderr) };
    };
  }
}

function commandsOf(bash: Bash): Map<string, Command> | undefined {
  const commands: unknown = Reflect.get(bash, "commands");
  return commands instanceof Map ? commands : undefined;
}
