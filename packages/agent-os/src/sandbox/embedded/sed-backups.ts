/**
 * Sed backups: just-bash's `sed` takes `-i.bak` for `-i`, and `--in-place=.bak` for nothing it knows. Here what was in the files is kept beside them; and a
 * file that couldn't be written isn't said to be missing.
 */
import type { Bash, Command, CommandContext, ExecResult } from "just-bash";
import { correctCommand } from "./corrected-command.ts";
import { inWords } from "./file-words.ts";
import { seenOtherwise } from "./link-commands.ts";

const IN_PLACE = /^(?:(?<letters>-[nErsuz]*i)|--in-place=)(?<suffix>.+)$/;
/** Options whose value is the next word. */
const WITH_VALUE = /^(?:-[nErsuz]*[efl]|--expression|--file|--line-length)$/;
/** Options that give a script, so that the first operand isn't one. */
const WITH_SCRIPT = /^(?:-[nErsuz]*[ef]|--expression|--file)/;

/** Makes `sed` keep backups. */
export function correctSed(bash: Bash): void {
  correctCommand(bash, "sed", (execute) => async (args, context) => {
    const { suffix, files, rest } = backupsOf(args);
    if (suffix === undefined) return await written(execute, rest, context);
    const kept = await Promise.all(files.map((file) => keep(context, file, suffix)));
    const result = await written(execute, rest, context);
    for (const save of kept) await save();
    return result;
  });
}

/** Runs it, and says why a file couldn't be written. */
async function written(
  execute: Command["execute"],
  args: string[],
  context: Parameters<Command["execute"]>[1],
): Promise<ExecResult> {
  let why: string | undefined;
  const fs = seenOtherwise(context.fs, {
    writeFile: async (...written) => {
      await context.fs.writeFile(...written).catch((cause: unknown) => {
        why ??= `sed: couldn't write to '${written[0]}': ${cause instanceof Error ? cause.message : ""}\n`;
        throw cause;
      });
    },
  });
  const result = await execute(args, { ...context, fs });
  return why === undefined ? result : { ...result, stderr: inWords(why), exitCode: 4 };
}

/** What is behind the names of files that are edited in place, and the words without it. */
function backupsOf(args: readonly string[]): {
  readonly suffix: string | undefined;
  readonly files: readonly string[];
  readonly rest: string[];
} {
  let suffix: string | undefined;
  let hasScript = false;
  const operands: string[] = [];
  const rest: string[] = [];
  const words = args.values();
  for (const word of words) {
    const inPlace = IN_PLACE.exec(word)?.groups;
    suffix = inPlace?.suffix ?? suffix;
    if (inPlace !== undefined) rest.push(inPlace.letters ?? "-i");
    else if (word !== "--") rest.push(word);
    if (inPlace !== undefined) continue;
    hasScript ||= WITH_SCRIPT.test(word);
    if (word === "--") {
      const others = [...words];
      operands.push(...others);
      // It isn't known to just-bash.
      rest.push(...others.map((other) => (other.startsWith("-") ? `./${other}` : other)));
    } else if (WITH_VALUE.test(word)) {
      const { value } = words.next();
      if (value !== undefined) rest.push(value);
    } else if (!word.startsWith("-")) operands.push(word);
  }
  return { suffix, files: hasScript ? operands : operands.slice(1), rest };
}

/** Reads a file; what it gives writes it beside itself. */
async function keep({ fs, cwd }: CommandContext, file: string, suffix: string): Promise<() => Promise<void>> {
  const path = fs.resolvePath(cwd, file);
  const stat = await fs.stat(path).catch(() => undefined);
  if (stat?.isFile !== true) return async () => undefined;
  const content = await fs.readFileBuffer(path);
  const cut = path.lastIndexOf("/") + 1;
  const name = suffix.includes("*") ? suffix.replaceAll("*", path.slice(cut)) : path.slice(cut) + suffix;
  const backup = name.includes("/") ? fs.resolvePath(cwd, name) : path.slice(0, cut) + name;
  return async () => {
    await fs.writeFile(backup, content);
    await fs.chmod(backup, stat.mode);
  };
}
