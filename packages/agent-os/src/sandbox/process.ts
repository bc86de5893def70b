/**
 * SandboxProcess: the port to one running command of a sandbox, with its streams.
 *
 * What it printed is told in its order, stream by stream, and all of it before `ended` settles. What a driver can't do is said
 * in its own file: the embedded one, for one, has no stdin that is read while it is written.
 */
import type { UnsavedPath } from "./unsaved.ts";

/** Where a process prints. */
export type ProcessStream = "stdout" | "stderr";

/** Signals that a process may be sent, with their numbers. */
export const processSignals = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGQUIT: 3,
  SIGKILL: 9,
  SIGUSR1: 10,
  SIGUSR2: 12,
  SIGTERM: 15,
} as const;

/** A signal. */
export type ProcessSignal = keyof typeof processSignals;

/** A program and its arguments; no shell reads them. */
export interface ProcessCommand {
  readonly command: string;
  readonly args: readonly string[];
  /** Default: "/home/user". */
  readonly cwd?: string | undefined;
  /** Added to the sandbox's own variables. */
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** True: its stdin is written and closed by the caller. Default: it has none. */
  readonly streamStdin?: boolean | undefined;
  /** It runs in a terminal of this size, which has its stdin and prints to stdout alone. */
  readonly terminal?: TerminalSize | undefined;
}

/** The size of a terminal, in characters. */
export interface TerminalSize {
  readonly cols: number;
  readonly rows: number;
}

/** How a process ended. */
export interface ProcessEnd {
  /** 128 and the signal's number for one that a signal ended. */
  readonly exitCode: number;
  readonly signal?: ProcessSignal | undefined;
  /** Why it ended otherwise than by itself or by a signal. */
  readonly error?: unknown;
  /** What of the sandbox's files can't be saved, if there is any. */
  readonly unsaved?: readonly UnsavedPath[];
}

/** A process that there is, as the sandbox numbers it. */
export interface SandboxProcessInfo {
  readonly pid: number;
  /** Who started it; 0: nobody in the sandbox. */
  readonly ppid: number;
  /** Its group, and its session. */
  readonly pgid: number;
  readonly sid: number;
  readonly command: string;
  readonly args: readonly string[];
}

/** A process that was started. */
export interface SandboxProcess {
  /** Settles, never rejects, when it is gone and all that it printed was told. */
  readonly ended: Promise<ProcessEnd>;
  /** Settles when the process's stdin has taken it. Rejects with `process.stdin_closed`, `process.stdin_full`. */
  write(data: Uint8Array): Promise<void>;
  /** No more stdin. */
  closeStdin(): void;
  /** Its terminal, if it has one, has another size. */
  resize(size: TerminalSize): void;
  /** A process that has ended is not sent it. */
  kill(signal: ProcessSignal): void;
}

/** Who is told what a process prints. A driver reads on when the promise has settled. */
export type ProcessListener = (stream: ProcessStream, data: Uint8Array) => void | Promise<void>;
