/**
 * EmbeddedProcess: a command of just-bash as a process.
 *
 *   stdin ──(closed, or none)──▶ waiting ──a worker is free──▶ running ──▶ ended
 *                └────────────────── kill ──────┴──────────────────────────▲
 *
 * just-bash takes all of a command's stdin before it starts and gives all of its output when it ends: a process whose stdin
 * is streamed starts when that is closed, and prints at its end. Any signal ends it, in the middle of whatever it does, and what
 * it would have changed is gone. It works on the files as they are at its start, on a worker of its own, and what it changed
 * is there when it has ended: of a path that others changed meanwhile its own version stays.
 */
import { limits } from "@troupe/protocol";
import { processErrors } from "../../errors.ts";
import {
  type ProcessCommand,
  type ProcessEnd,
  type ProcessListener,
  type ProcessSignal,
  processSignals,
  type SandboxProcess,
} from "../process.ts";
import type { ProcessResult } from "./messages.ts";

/** Runs the command with all of its stdin; ended by the signal. */
export type RunProcess = (stdin: Uint8Array, signal: AbortSignal) => Promise<ProcessResult>;

/** A process of an embedded sandbox. */
export class EmbeddedProcess implements SandboxProcess {
  readonly ended: Promise<ProcessEnd>;
  readonly #end: (end: ProcessEnd) => void;
  readonly #run: RunProcess;
  readonly #listener: ProcessListener;
  readonly #kill = new AbortController();
  #killedBy: ProcessSignal | undefined;
  /** Undefined when it is closed. */
  #stdin: Uint8Array[] | undefined = [];
  #stdinBytes = 0;

  constructor(command: ProcessCommand, listener: ProcessListener, run: RunProcess) {
    this.#listener = listener;
    this.#run = run;
    const { promise, resolve } = Promise.withResolvers<ProcessEnd>();
    this.ended = promise;
    this.#end = resolve;
    if (command.streamStdin !== true) this.closeStdin();
  }

  async write(data: Uint8Array): Promise<void> {
    if (this.#stdin === undefined) throw processErrors.stdinClosed();
    if (this.#stdinBytes + data.byteLength > limits.processStdinBytes)
      throw processErrors.stdinFull(limits.processStdinBytes);
    this.#stdin.push(data);
    this.#stdinBytes += data.byteLength;
  }

  closeStdin(): void {
    const stdin = this.#stdin;
    if (stdin === undefined) return;
    this.#stdin = undefined;
    void this.#runToEnd(Buffer.concat(stdin));
  }

  /** It has no terminal. */
  resize(): void {}

  kill(signal: ProcessSignal): void {
    this.#killedBy ??= signal;
    this.#kill.abort();
    this.#stdin = undefined;
    this.#end({ exitCode: 128 + processSignals[this.#killedBy], signal: this.#killedBy });
  }

  async #runToEnd(stdin: Uint8Array): Promise<void> {
    try {
      const { exitCode, stdout, stderr } = await this.#run(stdin, this.#kill.signal);
      if (this.#kill.signal.aborted) return;
      if (stdout.byteLength > 0) await this.#listener("stdout", stdout);
      if (stderr.byteLength > 0) await this.#listener("stderr", stderr);
      this.#end({ exitCode });
    } catch (error) {
      // It was killed, which has been told, or it couldn't be run to its end.
      this.#end({ exitCode: 128 + processSignals.SIGKILL, signal: "SIGKILL", error });
    }
  }
}
