/**
 * Grep patterns: of several `-e` just-bash's `grep` looks for the last alone, and it knows neither `-ePATTERN` nor `--regexp`. To POSIX a pattern with
 * ends of lines in it is as many patterns, and to just-bash, too: so all that are given become one.
 */
import type { Bash } from "just-bash";
import { correctCommand } from "./corrected-command.ts";

/** Options in one letter that take the rest of their word, or the next one. */
const WITH_VALUE = "fABCm";

const PERL = /^(?:-(?!-)[^efABCm]*P|--perl-regexp$)/;

/** Makes `grep`, `egrep` and `fgrep` look for all patterns. */
export function correctGrep(bash: Bash): void {
  for (const name of ["grep", "egrep", "fgrep"])
    correctCommand(bash, name, (execute) => (args, context) => execute(withOnePattern(args), context));
}

/** The same arguments with all patterns in one `-e`. Where one lacks its pattern they are as they were. */
export function withOnePattern(args: readonly string[]): string[] {
  const patterns: (string | undefined)[] = [];
  const others: string[] = [];
  const words = args.values();
  const next = () => words.next().value;
  for (let word = next(); word !== undefined; word = next()) {
    const { letters, value } = splitWord(word);
    if (word === "--") others.push(word, ...words);
    else if (word.startsWith("--regexp=")) patterns.push(word.slice("--regexp=".length));
    else if (word === "--regexp") patterns.push(next());
    else if (letters.endsWith("e")) {
      if (letters !== "-e") others.push(letters.slice(0, -1));
      patterns.push(value === "" ? next() : value);
    } else {
      others.push(word);
      const last = value === "" && WITH_VALUE.includes(letters.at(-1) ?? "-") ? next() : undefined;
      if (last !== undefined) others.push(last);
    }
  }
  if (patterns.length === 0 || patterns.includes(undefined)) return [...args];
  // Perl's has an end of a line in it as any other character.
  const isPerl = patterns.length > 1 && others.some((word) => PERL.test(word));
  const pattern = isPerl ? patterns.map((one) => `(?:${one})`).join("|") : patterns.join("\n");
  return ["-e", pattern, ...others];
}

/** Options in one letter, up to the first that takes a value, and what of it stands in the same word. */
function splitWord(word: string): { readonly letters: string; readonly value: string } {
  const letters = /^-(?!-)[^efABCm]*[efABCm]/.exec(word)?.[0] ?? "";
  return { letters, value: word.slice(letters.length) };
}
