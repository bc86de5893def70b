/** What callers send about processes, checked: it crosses a wire, so that its types are only a hope. */
import { limits } from "@troupe/protocol";
import { sandboxErrors } from "../errors.ts";
import { asVariables, checkOptions, checkText } from "../sandbox/arguments.ts";
import { type ProcessSignal, processSignals } from "../sandbox/process.ts";
import type { CheckedProcess } from "./processes.ts";

/** How a process may run. */
export interface SpawnOptions {
  /** Default: "/home/user". */
  readonly cwd?: string;
  /** Added to the sandbox's own variables. */
  readonly env?: Readonly<Record<string, string>>;
  /** True: its stdin is written with `writeProcessStdin` and ended with `closeProcessStdin`. Default: it has none. */
  readonly streamStdin?: boolean;
  /** It is ended behind it. Milliseconds; default: never. */
  readonly timeoutMs?: number;
}

/** Which part of a process's output. */
export interface ProcessOutputRange {
  readonly pid: number;
  /** Only pieces with a greater sequence. Default: 0, all that is kept. */
  readonly after?: number;
  /** At most so many. Default and most: 256. */
  readonly limit?: number;
}

const spawnNames: readonly (keyof SpawnOptions)[] = ["cwd", "env", "streamStdin", "timeoutMs"];
/** What a timer of the platform takes. */
export const LONGEST_MS = 2_147_483_647;

/** A process to start. Throws `sandbox.invalid_argument`, `sandbox.unknown_option`. */
export function checkProcess(
  command: string,
  args: readonly string[] = [],
  options: SpawnOptions = {},
): CheckedProcess {
  checkText("command", command);
  if (command === "") throw sandboxErrors.invalidArgument("command", "the name of a program");
  if (!Array.isArray(args)) throw sandboxErrors.invalidArgument("args", "a list of texts");
  for (const [index, arg] of args.entries()) checkText(`args.${index}`, arg);
  checkOptions("spawn", options, spawnNames);
  const { cwd, env, streamStdin, timeoutMs } = options;
  for (const [name, value] of Object.entries({ cwd, ...asVariables(env) }))
    if (value !== undefined) checkText(name, value);
  if (streamStdin !== undefined && typeof streamStdin !== "boolean")
    throw sandboxErrors.invalidArgument("streamStdin", "true or false");
  if (timeoutMs !== undefined && !(Number.isInteger(timeoutMs) && timeoutMs > 0 && timeoutMs <= LONGEST_MS))
    throw sandboxErrors.invalidArgument("timeoutMs", `a whole number from 1 to ${LONGEST_MS}`);
  return { command, args, cwd, env, streamStdin, timeoutMs };
}

/** Throws `sandbox.invalid_argument`. */
export function checkSignal(signal: string): ProcessSignal {
  const known = Object.keys(processSignals).find((name): name is ProcessSignal => name === signal);
  if (known !== undefined) return known;
  throw sandboxErrors.invalidArgument("signal", `one of ${Object.keys(processSignals).join(", ")}`);
}

/** A range with its defaults. Throws `sandbox.invalid_argument`. */
export function checkOutputRange(range: ProcessOutputRange): Required<ProcessOutputRange> {
  checkOptions("readProcessOutput", range, ["pid", "after", "limit"]);
  const { pid, after = 0, limit = limits.processPageEvents } = range;
  if (!Number.isSafeInteger(after) || after < 0)
    throw sandboxErrors.invalidArgument("after", "a sequence, 0 or more");
  if (!Number.isSafeInteger(limit) || limit < 1 || limit > limits.processPageEvents)
    throw sandboxErrors.invalidArgument("limit", `a number from 1 to ${limits.processPageEvents}`);
  return { pid, after, limit };
}
