/**
 * The command lines of the repository's own programs: `--help` prints their usage, and what can't be run is told with it,
 * before anything begins.
 */
import { type ParseArgsConfig, parseArgs } from "node:util";

type Parsed<T extends ParseArgsConfig> = ReturnType<typeof parseArgs<T>>;

/** The options and positionals of this process. Ends it where they ask for help, or aren't of the program's. */
export function commandLine<const T extends ParseArgsConfig>(usage: string, config: T): Parsed<T> {
  if (process.argv.slice(2).some((word) => word === "--help" || word === "-h")) {
    process.stdout.write(`${usage}\n`);
    process.exit(0);
  }
  try {
    return parseArgs(config);
  } catch (error) {
    return refuse(String(error instanceof Error ? error.message : error), usage);
  }
}

/** Ends this process with what is wrong with its command line, and the usage. */
export function refuse(what: string, usage: string): never {
  process.stderr.write(`${what}\n\n${usage}\n`);
  process.exit(2);
}

/** The number that an option says. Ends this process where it is none, or less than `least`. */
export function numberOf(option: string, value: string, usage: string, least = 1): number {
  const number = value.trim() === "" ? Number.NaN : Number(value);
  return number >= least
    ? number
    : refuse(`${option} takes a number from ${least} on, not "${value}"`, usage);
}
