/**
 * Processes: what an actor's sandbox runs beside its commands.
 *
 * Their numbers are the actor's own, given once in its whole life: after a sleep a number is of no other process. A process
 * ends with the activation at the latest, and while one runs the actor stays awake. Those that have ended are known for a
 * while, with the end of what they printed.
 */
import { limits } from "@troupe/protocol";
import type { Announcer } from "../announcer.ts";
import { processErrors, sandboxErrors } from "../errors.ts";
import type { ProcessCommand, ProcessSignal } from "../sandbox/process.ts";
import type { Sandbox } from "../sandbox/sandbox.ts";
import { Gauge } from "./gauge.ts";
import { LiveProcess, type ProcessInfo } from "./live-process.ts";
import type { ProcessOutputPage } from "./output-log.ts";

/** What one actor's processes may use. */
export interface ProcessLimits {
  /** That run at once. Default 32. */
  readonly processes?: number;
  /** That one may print. Default 64 MiB. */
  readonly processOutputBytes?: number;
  /** How long one may run, also where its `timeoutMs` is longer. Milliseconds; default: no end. */
  readonly processMs?: number;
}

/** What processes need of their actor. */
export interface ProcessesParts {
  readonly limits: ProcessLimits;
  readonly announcer: Announcer;
  /** The actor's sandbox, booted if need be. */
  readonly sandbox: () => Promise<Sandbox>;
  /** A number that no process of this actor had. */
  readonly nextPid: () => number;
  readonly keepAwake: (running: Promise<unknown>) => void;
}

/** A process to start, checked. */
export interface CheckedProcess extends ProcessCommand {
  readonly timeoutMs: number | undefined;
}

/** The processes of one activation. */
export class Processes {
  readonly #parts: ProcessesParts;
  /** Oldest first. */
  readonly #processes = new Map<number, LiveProcess>();
  readonly #running: Gauge;
  readonly #outputBytes: number;
  #closed = false;

  constructor(parts: ProcessesParts) {
    this.#parts = parts;
    const { processes = limits.processes, processOutputBytes = limits.processOutputBytes } = parts.limits;
    this.#outputBytes = processOutputBytes;
    this.#running = new Gauge(processes, (used) =>
      parts.announcer.broadcast("limitWarning", { limit: "processes", used, most: processes }),
    );
  }

  /** Settles when the process is there. Rejects with `process.too_many`, `sandbox.closed` and what a boot does. */
  async spawn(command: CheckedProcess): Promise<LiveProcess> {
    if (this.#closed) throw sandboxErrors.closed();
    if (!this.#running.fits(1)) throw processErrors.tooMany(this.#running.most);
    this.#running.add(1);
    const gone = Promise.withResolvers<void>();
    this.#parts.keepAwake(gone.promise);
    const left = () => {
      this.#running.add(-1);
      gone.resolve();
    };
    try {
      const process = await this.#start(command);
      void process.exited.then((exit) => {
        this.#parts.announcer.broadcast("processExit", exit);
        this.#forget();
        left();
      });
      return process;
    } catch (cause) {
      left();
      throw cause;
    }
  }

  find(pid: number): LiveProcess | undefined {
    return this.#processes.get(pid);
  }

  /** Throws `process.not_found`. */
  get(pid: number): LiveProcess {
    const process = this.find(pid);
    if (process === undefined) throw processErrors.notFound(pid);
    return process;
  }

  list(): ProcessInfo[] {
    return [...this.#processes.values()].map(({ info }) => info);
  }

  page(pid: number, after: number, limit: number): ProcessOutputPage {
    return this.get(pid).page(after, limit);
  }

  kill(pid: number, signal: ProcessSignal): void {
    this.get(pid).kill(signal);
  }

  /** Ends all of them: the activation is over. */
  async close(): Promise<void> {
    this.#closed = true;
    const running = [...this.#processes.values()];
    for (const process of running) process.kill("SIGKILL", sandboxErrors.closed());
    await Promise.all(running.map(({ exited }) => exited));
  }

  async #start(command: CheckedProcess): Promise<LiveProcess> {
    const { announcer, nextPid, sandbox } = this.#parts;
    const place = await sandbox();
    const process = await LiveProcess.start(
      {
        pid: nextPid(),
        command,
        timeoutMs: shorter(command.timeoutMs, this.#parts.limits.processMs),
        outputBytes: this.#outputBytes,
        onOutput: (output) => announcer.broadcast("processOutput", output),
        onWarning: (warning) => announcer.broadcast("limitWarning", warning),
      },
      (listener) => place.spawn(command, listener),
    );
    this.#processes.set(process.pid, process);
    // The sandbox was closed while it started it.
    if (this.#closed) process.kill("SIGKILL", sandboxErrors.closed());
    return process;
  }

  #forget(): void {
    const ended = [...this.#processes.values()].filter(({ info }) => !info.running);
    for (const { pid } of ended.slice(0, -limits.processesKept)) this.#processes.delete(pid);
  }
}

function shorter(one: number | undefined, other: number | undefined): number | undefined {
  return one === undefined || other === undefined ? (one ?? other) : Math.min(one, other);
}
