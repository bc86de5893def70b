/** How a command that failed says so: a line for people, an object for programs that asked for JSON, and an exit code. */
import { TroupeError } from "@troupe/base";
import { textWithoutSecrets } from "@troupe/relay/secrets";
import { CommanderError } from "commander";
import { optionErrors } from "./errors.ts";

/** What is said of a failure, and how the process exits. */
export interface Failure {
  readonly exitCode: number;
  readonly out: string;
  readonly err: string;
}

/** A shell's own words for a program that isn't there, and for one that can't be run. */
const exitCodes: Readonly<Record<string, number>> = { "run.not_found": 127, "run.not_executable": 126 };

/** What is said of `error`, for who typed `words`. */
export function failureOf(error: unknown, words: readonly string[]): Failure {
  if (error instanceof CommanderError) return usageFailure(error, words);
  if (!TroupeError.is(error)) return { exitCode: 1, out: "", err: `troupe: ${String(error)}\n` };
  const { group, code, metadata } = error;
  // It may tell what a plugin said of itself.
  const message = textWithoutSecrets(error.message);
  return {
    exitCode: exitCodes[`${group}.${code}`] ?? 1,
    out: wantsJson(words) ? `${JSON.stringify({ error: { group, code, message, metadata } })}\n` : "",
    err: `troupe: ${message} [${group}.${code}]\n`,
  };
}

/** Help and versions end the program too, and have been said. */
function usageFailure({ code, exitCode, message }: CommanderError, words: readonly string[]): Failure {
  if (exitCode === 0 || code === "commander.help") return { exitCode, out: "", err: "" };
  return failureOf(optionErrors.usage(message.replace(/^error: /, "").replaceAll("\n", " ")), words);
}

/** Words behind `--` are another program's. */
function wantsJson(words: readonly string[]): boolean {
  const own = words.indexOf("--");
  return words.slice(0, own < 0 ? undefined : own).includes("--json");
}
