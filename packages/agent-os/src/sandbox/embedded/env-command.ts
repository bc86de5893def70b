/** Env command: just-bash's `env` sets variables for its command alone, which a shell that this command starts doesn't get: they must be exported. */
import type { Bash, Command } from "just-bash";
import { shellWord } from "../shell-word.ts";
import { correctCommand } from "./corrected-command.ts";

type Context = Parameters<Command["execute"]>[1];

const ASSIGNMENT = /^(?<name>[A-Za-z_]\w*)=/;

/** Makes `env NAME=VALUE COMMAND` give the variables on to all that its command starts. */
export function correctEnv(bash: Bash): void {
  correctCommand(
    bash,
    "env",
    (execute) => (args, context) => execute(args, exporting(context, namesIn(args))),
  );
}

/** Those that stand before the command. */
function namesIn(args: readonly string[]): string[] {
  const names: string[] = [];
  for (const [place, word] of args.entries()) {
    const name = ASSIGNMENT.exec(word)?.groups?.name;
    if (name !== undefined) names.push(name);
    else if (!word.startsWith("-") && args[place - 1] !== "-u") break;
  }
  return names;
}

function exporting(context: Context, names: readonly string[]): Context {
  const { exec } = context;
  if (exec === undefined || names.length === 0) return context;
  return {
    ...context,
    exec: (command, { args = [], ...options }) =>
      exec(`export ${names.join(" ")}; ${[command, ...args].map(shellWord).join(" ")}`, options),
  };
}
