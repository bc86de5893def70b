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
import { unsavedLine } from "../unsaved.ts";
import type { Container, ProcessExit, StartedProcess } from "./container.ts";
import type { Channel } from "./inside/channel.ts";
import type { Saves } from "./saves.ts";

/** What a process is made of. */
export interface HostProcessParts {
  readonly container: Container;
  readonly started: StartedProcess;
  readonly listener: ProcessListener;
  /** Where what it changed is saved. */
  readonly saves: Pick<Saves, "save" | "unsaid">;
  /** Where it prints what isn't of its own. */
  readonly errors: ProcessStream;
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
    const { started } = this.#parts;
    const read = Promise.all([this.#read("stdout", started.main), this.#read("stderr", started.errors)]);
    // It is waited for behind the exit.
    read.catch(() => undefined);
    try {
      const exit = await started.exit;
      await read;
      this.#over = true;
      started.main.destroy();
      started.errors.destroy();
      return await this.#saved(endOf(exit));
    } catch (error) {
      this.#over = true;
      return { exitCode: 128 + processSignals.SIGKILL, signal: "SIGKILL", error: this.#why ?? error };
    }
  }

  /** Its end, when what it changed is saved. */
  async #saved(end: ProcessEnd): Promise<ProcessEnd> {
    const { saves, listener, errors } = this.#parts;
    const early = this.#why ?? end.error;
    try {
      const unsaved = await saves.save();
      // Whoever asked for one that is cut off may get the error alone: the next one is told.
      const unsaid = early === undefined ? saves.unsaid(unsaved) : [];
      if (unsaid.length > 0) await listener(errors, Buffer.from(unsavedLine(unsaid)));
      return {
        ...end,
        ...(early === undefined ? {} : { error: early }),
        ...(unsaved.length === 0 ? {} : { unsaved }),
      };
    } catch (error) {
      return { ...end, error: early ?? error };
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
