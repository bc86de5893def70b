/** A command of just-bash that is done in another way. */
import type { Bash, Command } from "just-bash";

/** Puts what `correct` makes of a command in its place; where there is none of that name nothing. */
export function correctCommand(
  bash: Bash,
  name: string,
  correct: (execute: Command["execute"]) => Command["execute"],
): void {
  const commands: unknown = Reflect.get(bash, "commands");
  if (!(commands instanceof Map)) return;
  const command: Command | undefined = commands.get(name);
  if (command === undefined) return;
  const execute = correct((args, context) => command.execute(args, context));
  bash.registerCommand({ ...command, execute });
}
