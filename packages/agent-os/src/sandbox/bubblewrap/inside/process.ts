/**
 * RunningProcess: a program of the sandbox, as its supervisor knows it.
 *
 * It leads a session and a group of its own, which a signal is for, and what it leaves running in that group ends with it. Its streams are
 * channels: a reader that is slow holds the program up, and nobody else.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { constants } from "node:os";
import type { Channel } from "./channel.ts";
import type { StartProcess, SystemFailure, TerminalSize, WatchedLimit } from "./messages.ts";
import { codeOf } from "./system-error.ts";

/** Somebody may still hold a stream of one that has ended. */
const STREAMS_MS = 1_000;

/** How a program ended. */
export interface ProcessExit {
  readonly exitCode: number;
  readonly signal: string | null;
  readonly limit?: WatchedLimit;
  readonly failure?: SystemFailure;
}

/** A program to start, in this directory. */
export type ProcessStart = StartProcess & { readonly cwd: string };

/** A program that runs. */
export interface RunningProcess {
  /** Of its session; undefined: it never began. */
  readonly pid: number | undefined;
  signal(name: string): void;
  resize(size: TerminalSize): void;
  /** It is ended for this. */
  exceed(limit: WatchedLimit): void;
}

/** The streams of a program. */
export interface ProcessChannels {
  readonly main: Channel;
  readonly errors: Channel;
}

/** Starts a program. `onExit` is called once, when all that it printed is on its way. */
export function startProcess(
  start: ProcessStart,
  channels: ProcessChannels,
  onExit: (exit: ProcessExit) => void,
): RunningProcess {
  let limit: WatchedLimit | undefined;
  let over = false;
  const end = (exit: ProcessExit, why?: string): void => {
    if (over) return;
    over = true;
    channels.main.end();
    channels.errors.end(why === undefined ? undefined : `${why}\n`);
    onExit({ ...exit, ...(limit === undefined ? {} : { limit }) });
  };
  const failed = (cause: unknown) => {
    const { exitCode, why } = failureOf(start.command, cause);
    end({ exitCode, signal: null }, why);
  };
  channels.errors.resume();
  let child: ChildProcess;
  try {
    child = spawn(start.command, start.args, {
      cwd: start.cwd,
      env: { ...start.env },
      stdio: [start.stdin ? "pipe" : "ignore", "pipe", "pipe"],
      detached: true,
    });
  } catch (cause) {
    failed(cause);
    return { pid: undefined, signal: () => undefined, resize: () => undefined, exceed: () => undefined };
  }
  // Without a descriptor it has no streams; `error` says why.
  if ("stdio" in child) join(child, channels);
  child.on("error", (cause) => {
    if (child.pid === undefined) failed(cause);
  });
  child.on("close", (code, signal) => end({ exitCode: code ?? 128 + numberOf(signal), signal }));
  return {
    pid: child.pid,
    signal: (name) => sendSignal(child, name),
    resize: () => undefined,
    exceed: (exceeded) => {
      limit ??= exceeded;
      sendSignal(child, "SIGKILL");
    },
  };
}

function join(child: ChildProcess, { main, errors }: ProcessChannels): void {
  const { stdin, stdout, stderr } = child;
  if (stdin === null) main.resume();
  else {
    stdin.on("error", () => undefined);
    // Whoever writes what nobody reads any more isn't held up.
    stdin.on("close", () => main.resume());
    main.pipe(stdin);
  }
  stdout?.pipe(main, { end: false });
  stderr?.pipe(errors, { end: false });
  child.on("exit", () => {
    if (child.pid !== undefined) signalGroup(child.pid, "SIGKILL");
    const abandon = () => {
      stdout?.destroy();
      stderr?.destroy();
    };
    setTimeout(abandon, STREAMS_MS).unref();
  });
}

/** As a shell says it. */
function failureOf(command: string, cause: unknown): { exitCode: number; why: string } {
  if (codeOf(cause) === "ENOENT") return { exitCode: 127, why: `${command}: not found` };
  return { exitCode: 126, why: `${command}: ${cause instanceof Error ? cause.message : String(cause)}` };
}

function sendSignal(child: ChildProcess, name: string): void {
  if (child.pid !== undefined && child.exitCode === null && child.signalCode === null)
    signalGroup(child.pid, name);
}

/** To all of a group; false: there is none. */
export function signalGroup(pid: number, name: string): boolean {
  return signalProcess(-pid, name);
}

/** To one process; false: there is none. */
export function signalProcess(pid: number, name: string): boolean {
  try {
    return process.kill(pid, name);
  } catch {
    return false;
  }
}

/** A signal's number, 0 for none. */
export function numberOf(signal: string | null): number {
  return Object.entries(constants.signals).find(([name]) => name === signal)?.[1] ?? 0;
}

/** A signal's name, null for none. */
export function nameOf(signal: number): string | null {
  return Object.entries(constants.signals).find(([, number]) => number === signal)?.[0] ?? null;
}
