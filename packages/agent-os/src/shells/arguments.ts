/** What callers send about shells, checked: it crosses a wire, so that its types are only a hope. */
import { limits } from "@troupe/protocol";
import { sandboxErrors } from "../errors.ts";
import { checkOutputRange, checkProcess } from "../processes/arguments.ts";
import type { CheckedProcess } from "../processes/processes.ts";
import { checkOptions } from "../sandbox/arguments.ts";
import type { TerminalSize } from "../sandbox/process.ts";

/** A shell to open. */
export interface ShellOptions {
  /** Default: "sh". */
  readonly command?: string;
  readonly args?: readonly string[];
  /** Default: "/home/user". */
  readonly cwd?: string;
  /** Added to the sandbox's own variables. */
  readonly env?: Readonly<Record<string, string>>;
  /** The terminal's width, in characters. Default 80. */
  readonly cols?: number;
  /** Its height. Default 24. */
  readonly rows?: number;
}

/** Which part of a shell's output. */
export interface ShellOutputRange {
  readonly shellId: string;
  /** Only pieces with a greater sequence. Default: 0, all that is kept. */
  readonly after?: number;
  /** At most so many. Default and most: 256. */
  readonly limit?: number;
}

/** A shell to open, checked. */
export interface CheckedShell extends CheckedProcess {
  readonly terminal: TerminalSize;
}

const shellNames: readonly (keyof ShellOptions)[] = ["command", "args", "cwd", "env", "cols", "rows"];

/** Throws `sandbox.invalid_argument`, `sandbox.unknown_option`. */
export function checkShell(options: ShellOptions = {}): CheckedShell {
  checkOptions("openShell", options, shellNames);
  const { command = "sh", args = [], cols = 80, rows = 24, ...rest } = options;
  return { ...checkProcess(command, args, rest), streamStdin: true, terminal: checkSize(cols, rows) };
}

/** Throws `sandbox.invalid_argument`. */
export function checkSize(cols: number, rows: number): TerminalSize {
  const most = limits.terminalCharacters;
  for (const [name, value] of Object.entries({ cols, rows }))
    if (!Number.isInteger(value) || value < 1 || value > most)
      throw sandboxErrors.invalidArgument(name, `a whole number from 1 to ${most}`);
  return { cols, rows };
}

/** A range with its defaults. Throws `sandbox.invalid_argument`. */
export function checkShellRange(range: ShellOutputRange): Required<ShellOutputRange> {
  checkOptions("readShellOutput", range, ["shellId", "after", "limit"]);
  const { shellId, ...rest } = range;
  const { after, limit } = checkOutputRange({ pid: 0, ...rest });
  return { shellId, after, limit };
}
