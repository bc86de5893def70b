/**
 * LiveProcess: one process of a sandbox as its actor knows it: a number, its output, its limits, and how it ended.
 *
 * Its listeners hear pieces of output in their order, and its exit behind the last of them. What ends it early (a limit, the
 * sandbox) is the `error` of its exit.
 */
import { TroupeError } from "@troupe/base";
import { processErrors } from "../errors.ts";
import { startDeadline } from "../sandbox/deadline.ts";
import type {
  ProcessCommand,
  ProcessEnd,
  ProcessListener,
  ProcessSignal,
  ProcessStream,
  SandboxProcess,
  TerminalSize,
} from "../sandbox/process.ts";
import type { UnsavedPath } from "../sandbox/unsaved.ts";
import { Gauge, type LimitWarning } from "./gauge.ts";
import { OutputLog, type ProcessOutput, type ProcessOutputPage } from "./output-log.ts";

/** What a listener of `processExit` gets. */
export interface ProcessExit {
  readonly pid: number;
  /** 128 and the signal's number for one that a signal ended. */
  readonly exitCode: number;
  readonly signal: ProcessSignal | null;
  /** `group.code: text` when it ended otherwise than by itself or by a signal that was asked for. */
  readonly error?: string;
  /** What of the sandbox's files can't be saved, if there is any: the first hundred of it. It ends with the sandbox. */
  readonly unsaved?: readonly UnsavedPath[];
}

/** What is known of a process. */
export interface ProcessInfo {
  readonly pid: number;
  readonly command: string;
  readonly args: readonly string[];
  readonly running: boolean;
  readonly exitCode: number | null;
  /** What ended it, where that was a signal. */
  readonly signal?: ProcessSignal;
  /** As in its exit: `group.code: text` when it ended otherwise than by itself or by a signal that was asked for. */
  readonly error?: string;
  /** Wall clock, milliseconds. */
  readonly startedAt: number;
}

/** What a live process is made of. */
export interface LiveProcessParts {
  readonly pid: number;
  readonly command: ProcessCommand;
  readonly outputBytes: number;
  readonly timeoutMs: number | undefined;
  readonly onOutput: (output: ProcessOutput) => void;
  readonly onWarning: (warning: LimitWarning) => void;
}

/** A process and what it printed. */
export class LiveProcess {
  /** Settles, never rejects. */
  readonly exited: Promise<ProcessExit>;
  readonly #parts: LiveProcessParts;
  readonly #log: OutputLog;
  readonly #output: Gauge;
  readonly #startedAt = Date.now();
  #process: SandboxProcess | undefined;
  #exit: ProcessExit | undefined;
  /** Why it is being ended. */
  #why: TroupeError | undefined;

  private constructor(
    parts: LiveProcessParts,
    start: (listener: ProcessListener) => Promise<SandboxProcess>,
  ) {
    const { pid, outputBytes, onWarning } = parts;
    this.#parts = parts;
    this.#log = new OutputLog(pid);
    this.#output = new Gauge(outputBytes, (used) =>
      onWarning({ limit: "processOutputBytes", used, most: outputBytes, pid }),
    );
    this.exited = this.#run(start);
  }

  /** Starts a process; settles when it is there. Rejects when the sandbox refuses. */
  static async start(
    parts: LiveProcessParts,
    start: (listener: ProcessListener) => Promise<SandboxProcess>,
  ): Promise<LiveProcess> {
    const started = Promise.withResolvers<void>();
    const live: LiveProcess = new LiveProcess(parts, async (listener) => {
      try {
        const process = await start(listener);
        started.resolve();
        return process;
      } catch (cause) {
        started.reject(cause);
        throw cause;
      }
    });
    await started.promise;
    return live;
  }

  get pid(): number {
    return this.#parts.pid;
  }

  get info(): ProcessInfo {
    const { pid, command } = this.#parts;
    const { exitCode = null, signal = null, error } = this.#exit ?? {};
    return {
      pid,
      command: command.command,
      args: command.args,
      running: this.#exit === undefined,
      exitCode,
      ...(signal === null ? {} : { signal }),
      ...(error === undefined ? {} : { error }),
      startedAt: this.#startedAt,
    };
  }

  async write(data: Uint8Array): Promise<void> {
    if (this.#exit !== undefined || this.#process === undefined) throw processErrors.stdinClosed();
    await this.#process.write(data);
  }

  closeStdin(): void {
    this.#process?.closeStdin();
  }

  resize(size: TerminalSize): void {
    this.#process?.resize(size);
  }

  /** `why` is the error of its exit. */
  kill(signal: ProcessSignal, why?: TroupeError): void {
    if (this.#exit !== undefined) return;
    this.#why ??= why;
    this.#process?.kill(signal);
  }

  page(after: number, limit: number): ProcessOutputPage {
    const page = this.#log.page(after, limit);
    return { ...page, end: this.#exit !== undefined && !page.hasMore };
  }

  async #run(start: (listener: ProcessListener) => Promise<SandboxProcess>): Promise<ProcessExit> {
    const { pid } = this.#parts;
    let stopClock: (() => void) | undefined;
    let end: ProcessEnd;
    try {
      this.#process = await start((stream, data) => this.#printed(stream, data));
      stopClock = this.#startClock();
      end = await this.#process.ended;
    } catch (error) {
      end = { exitCode: 137, signal: "SIGKILL", error };
    }
    stopClock?.();
    const error = this.#why ?? end.error;
    this.#exit = {
      pid,
      exitCode: end.exitCode,
      signal: end.signal ?? null,
      ...(error === undefined ? {} : { error: reason(error) }),
      ...(end.unsaved === undefined ? {} : { unsaved: end.unsaved }),
    };
    return this.#exit;
  }

  /** Warns when its time is nearly over, and ends it when it is. */
  #startClock(): (() => void) | undefined {
    const { pid, timeoutMs, onWarning } = this.#parts;
    if (timeoutMs === undefined) return undefined;
    return startDeadline(timeoutMs, {
      near: (used) => onWarning({ limit: "processMs", used, most: timeoutMs, pid }),
      over: () => this.kill("SIGKILL", processErrors.timedOut(timeoutMs)),
    });
  }

  #printed(stream: ProcessStream, data: Uint8Array): void {
    // What comes from one that is being ended for its flood is not kept.
    if (this.#why !== undefined) return;
    if (!this.#output.fits(data.byteLength)) {
      this.kill("SIGKILL", processErrors.outputExceeded(this.#output.most));
      return;
    }
    this.#output.add(data.byteLength);
    for (const output of this.#log.append(stream, data)) this.#parts.onOutput(output);
  }
}

function reason(error: unknown): string {
  const known = TroupeError.is(error) ? error : processErrors.lost(error);
  return `${known.group}.${known.code}: ${known.message}`;
}
