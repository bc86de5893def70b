/** Processes, for callers. */
import {
  checkOutputRange,
  checkProcess,
  checkSignal,
  type ProcessOutputRange,
  type SpawnOptions,
} from "../processes/arguments.ts";
import { bytesOf } from "../sandbox/arguments.ts";
import { processTree } from "../sandbox/process-tree.ts";
import type { Place } from "./place.ts";

/** What is done with processes. */
export const processActions = {
  /** Starts a program; no shell reads its arguments. What it prints is told as `processOutput`, its end as `processExit`. */
  spawn: async (c: Place, command: string, args?: readonly string[], options?: SpawnOptions) => {
    const { pid } = await c.vars.processes.spawn(checkProcess(command, args, options));
    return { pid };
  },
  /** Text as UTF-8, or bytes; settles when the process's stdin has taken it. */
  writeProcessStdin: (c: Place, pid: number, data: string | Uint8Array) =>
    c.vars.processes.get(pid).write(bytesOf(data)),
  closeProcessStdin: (c: Place, pid: number) => c.vars.processes.get(pid).closeStdin(),
  /** The exit code, once there is one. */
  waitProcess: async (c: Place, pid: number) => (await c.vars.processes.get(pid).exited).exitCode,
  /** Asks it to end: SIGTERM. */
  stopProcess: (c: Place, pid: number) => c.vars.processes.kill(pid, "SIGTERM"),
  /** Ends it: SIGKILL. */
  killProcess: (c: Place, pid: number) => c.vars.processes.kill(pid, "SIGKILL"),
  signalProcess: (c: Place, pid: number, signal: string) => c.vars.processes.kill(pid, checkSignal(signal)),
  /** All that run, and those that ended lately. */
  listProcesses: (c: Place) => c.vars.processes.list(),
  getProcess: (c: Place, pid: number) => c.vars.processes.get(pid).info,
  /** All that run in the sandbox, by the sandbox's own numbers: also what others have started, shells and agents inside. */
  allProcesses: (c: Place) => c.vars.sandbox.processes(),
  /** The same, each below the one that started it. */
  processTree: async (c: Place) => processTree(await c.vars.sandbox.processes()),
  /** A part of what a process printed; `nextCursor` is the next `after`. */
  readProcessOutput: (c: Place, range: ProcessOutputRange) => {
    const { pid, after, limit } = checkOutputRange(range);
    return c.vars.processes.page(pid, after, limit);
  },
};
