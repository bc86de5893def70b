/**
 * HostProcess: a real process of a sandbox, on the runtime's side.
 *
 * Its end is told when it is gone, all that it printed was told, and what it changed is saved.
 */
import type { TroupeError } from "@troupe/base";
import { limits } from "@troupe/protocol";
import { processErrors, sandboxErrors } from "../../errors.ts";
import {
  type ProcessEnd,
  type ProcessListener,
  type ProcessSignal,
  type ProcessStream,
  processSignals,
  type SandboxProcess,
  type TerminalSize,
} from "../process.ts";
import type { Container, ProcessExit, StartedProcess } from "./container.ts";
import type { Channel } from "./inside/channel.ts";

/** What a process is made of. */
export interface HostProcessParts {
  readonly container: Container;
  readonly started: StartedProcess;
  readonly listener: ProcessListener;
  /** Saves what it changed. */
  readonly saved: () => Promise<void>;
}

/** A running process. */
export class HostProcess implements SandboxProcess {
  readonly ended: Promise<ProcessEnd>;
  readonly #parts: HostProcessParts;
  /** Why it is ended. */
  #why: TroupeError | undefined;
  #over = false;

  constructor(parts: HostProcessParts) {
    this.#parts = parts;
    this.ended = this.#run();
  }

  async write(data: Uint8Array): Promise<void> {
    const { main } = this.#parts.started;
    if (this.#over || main.writableEnded || main.destroyed) throw processErrors.stdinClosed();
    if (main.writableLength + data.byteLength > limits.processStdinBytes)
      throw processErrors.stdinFull(limits.processStdinBytes);
    await new Promise<void>((resolve, reject) => {
      main.write(data, (cause) => {
        if (cause === null || cause === undefined) resolve();
        else reject(processErrors.stdinClosed());
      });
    });
  }

  /** All of its stdin, however much. */
  feed(data: Uint8Array): void {
    this.#parts.started.main.end(data);
  }

  closeStdin(): void {
    this.#parts.started.main.end();
  }

  /** `why` is the error of its end. */
  kill(signal: ProcessSignal, why?: TroupeError): void {
    if (this.#over) return;
    this.#why ??= why;
    const { container, started } = this.#parts;
    container.signal(started.id, signal);
  }

  resize(size: TerminalSize): void {
    const { container, started } = this.#parts;
    container.resize(started.id, size);
  }

  async #run(): Promise<ProcessEnd> {
    const { started, saved } = this.#parts;
    const read = Promise.all([this.#read("stdout", started.main), this.#read("stderr", started.errors)]);
    // It is waited for behind the exit.
    read.catch(() => undefined);
    try {
      const exit = await started.exit;
      await read;
      this.#over = true;
      started.main.destroy();
      started.errors.destroy();
      const end = endOf(exit);
      const unsaved: unknown = await saved().catch((cause: unknown) => cause);
      const error = this.#why ?? end.error ?? unsaved;
      return error === undefined ? end : { ...end, error };
    } catch (error) {
      this.#over = true;
      return { exitCode: 128 + processSignals.SIGKILL, signal: "SIGKILL", error: this.#why ?? error };
    }
  }

  /** Settles when there is no more. */
  async #read(stream: ProcessStream, channel: Channel): Promise<void> {
    try {
      for await (const data of channel.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>)
        await this.#parts.listener(stream, data);
    } catch (cause) {
      // It was cut off, which its exit tells of; a listener that throws is ours.
      if (!channel.destroyed) throw cause;
    }
  }
}

function endOf({ exitCode, signal, limit, failure }: ProcessExit): ProcessEnd {
  const known = Object.keys(processSignals).find((name): name is ProcessSignal => name === signal);
  return {
    exitCode,
    ...(known === undefined ? {} : { signal: known }),
    ...(limit === undefined ? {} : { error: processErrors.limitExceeded(limit) }),
    ...(failure === undefined ? {} : { error: sandboxErrors.fileFailed(failure.code, failure.message) }),
  };
}
