/** Bash command: just-bash's `bash` and `sh` know `-c` alone, and take every other option for a script's name. Here they have those that scripts are run with. */
import type { Bash, CommandContext, ExecResult } from "just-bash";
import { shellWord } from "../shell-word.ts";
import { decode } from "./byte-text.ts";
import { correctCommand } from "./corrected-command.ts";

/** How a shell was called. */
interface Call {
  /** Commands that set what its options say. */
  readonly options: string;
  readonly isCommand: boolean;
  readonly isStdin: boolean;
  /** The script, or its name, and its arguments. */
  readonly rest: readonly string[];
}

/** Options that change nothing here: no shell reads a profile, or asks. */
const IDLE = new Set(["--login", "--noprofile", "--norc", "--posix", "-i", "-l"]);
/** What `set` knows as well. */
const SETTING = /^[-+][abefhkmnptuvxBCEHPTcsliro]+$/;

/** Makes `bash -e FILE`, `sh -ec`, `bash -euo pipefail -c` and `bash -s` what they are. */
export function correctBash(bash: Bash): void {
  for (const name of ["bash", "sh"])
    correctCommand(bash, name, (execute) => async (args, context) => {
      if (args[0] === undefined || args[0] === "--help" || (args[0] === "-c" && !args[1]?.startsWith("-")))
        return await execute(args, context);
      const call = callOf(args);
      if (typeof call === "string") return refused(name, 2, `${call}: invalid option`);
      const script = await scriptOf(call, context);
      if (script === undefined) return refused(name, 127, `${call.rest[0]}: No such file or directory`);
      const { text, words } = script;
      return await execute(["-c", call.options + text, ...(words.length === 0 ? [name] : words)], context);
    });
}

/** What is said in a call's words; the word that isn't known. */
function callOf(args: readonly string[]): Call | string {
  const set: string[] = [];
  let isCommand = false;
  let isStdin = false;
  let at = 0;
  for (; at < args.length; at++) {
    const word = args[at] ?? "";
    if (word === "--" || word === "-") {
      at += 1;
      break;
    }
    if (!/^[-+]./.test(word)) break;
    if (IDLE.has(word)) continue;
    if (!SETTING.test(word)) return word;
    isCommand ||= word.includes("c");
    isStdin ||= word.includes("s");
    const letters = word.slice(1).replaceAll(/[csliro]/g, "");
    if (letters !== "") set.push(`set ${word.charAt(0)}${letters}`);
    if (word.includes("o")) set.push(`set ${word.charAt(0)}o ${shellWord(args[++at] ?? "")}`);
  }
  const options = set.map((command) => `${command};`).join("");
  return { options, isCommand, isStdin, rest: args.slice(at) };
}

/** What is to be run, and the words that it gets: `$0` and so on. */
async function scriptOf(
  { isCommand, isStdin, rest }: Call,
  { fs, cwd, stdin }: CommandContext,
): Promise<{ readonly text: string; readonly words: readonly string[] } | undefined> {
  const [first, ...others] = rest;
  if (isCommand) return { text: first ?? "", words: others };
  if (isStdin || first === undefined) return { text: decode(String(stdin)), words: ["bash", ...rest] };
  if (first === "/dev/stdin") return { text: decode(String(stdin)), words: rest };
  const text = await fs.readFile(fs.resolvePath(cwd, first)).catch(() => undefined);
  // A script's first line names its shell.
  return text === undefined ? undefined : { text: text.replace(/^#!.*\n?/, ""), words: rest };
}

function refused(name: string, exitCode: number, why: string): ExecResult {
  return { stdout: "", stderr: `${name}: ${why}\n`, exitCode };
}
