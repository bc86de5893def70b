/**
 * Shells: an actor's terminals. A shell is a process in a terminal: it is counted, bounded and kept awake for as processes are
 * (`processes/`), with names and events of its own.
 */
import { limits } from "@troupe/protocol";
import type { Announcer } from "../announcer.ts";
import { processErrors } from "../errors.ts";
import type { ProcessOutput, ProcessOutputPage } from "../processes/output-log.ts";
import { Processes, type ProcessesParts } from "../processes/processes.ts";
import type { TerminalSize } from "../sandbox/process.ts";
import type { UnsavedPath } from "../sandbox/unsaved.ts";
import type { CheckedShell, ShellOutputRange } from "./arguments.ts";

/** What a listener of `shellData` gets: stdout and stderr as a terminal shows them. */
export interface ShellData {
  readonly shellId: string;
  readonly data: Uint8Array;
  /** 1, 2, 3 … for each shell. */
  readonly sequence: number;
}

/** What a listener of `shellExit` gets. */
export interface ShellExit {
  readonly shellId: string;
  readonly exitCode: number;
  /** `group.code: text` when a limit ended it. */
  readonly error?: string;
  /** What of the sandbox's files can't be saved, if there is any. It ends with the sandbox. */
  readonly unsaved?: readonly UnsavedPath[];
}

/** A part of what a shell printed, oldest first. */
export interface ShellOutputPage extends Omit<ProcessOutputPage, "events"> {
  readonly events: readonly ShellData[];
}

const NAME = /^shell-(?<number>[1-9]\d{0,14})$/;

/** The shells of one activation. */
export class Shells {
  readonly #processes: Processes;

  constructor({ announcer, ...parts }: Omit<ProcessesParts, "limits">) {
    const bounds = { processes: limits.shells, processOutputBytes: Number.POSITIVE_INFINITY };
    this.#processes = new Processes({ ...parts, limits: bounds, announcer: asShells(announcer) });
  }

  /** Settles when it is there. Rejects with `process.too_many` and what a boot does. */
  async open(shell: CheckedShell): Promise<string> {
    return nameOf((await this.#processes.spawn(shell)).pid);
  }

  /** Text as it is typed. Rejects with `shell.not_found`, `shell.ended`. */
  async write(shellId: string, data: Uint8Array): Promise<void> {
    const shell = this.#get(shellId);
    if (!shell.info.running) throw processErrors.shellEnded(shellId);
    await shell.write(data);
  }

  resize(shellId: string, size: TerminalSize): void {
    this.#get(shellId).resize(size);
  }

  /** As when its window is closed; settles when it is gone. One that doesn't go is ended. */
  async close(shellId: string): Promise<void> {
    const shell = this.#get(shellId);
    shell.kill("SIGHUP");
    const timer = setTimeout(() => shell.kill("SIGKILL"), limits.shellCloseMs);
    await shell.exited;
    clearTimeout(timer);
  }

  /** Its exit code, when it has one. */
  async wait(shellId: string): Promise<number> {
    return (await this.#get(shellId).exited).exitCode;
  }

  page({ shellId, after, limit }: Required<ShellOutputRange>): ShellOutputPage {
    const page = this.#get(shellId).page(after, limit);
    return { ...page, events: page.events.map(asShellData) };
  }

  list(): { readonly shellId: string; readonly running: boolean }[] {
    return this.#processes.list().map(({ pid, running }) => ({ shellId: nameOf(pid), running }));
  }

  /** Ends all of them: the activation is over. */
  end(): Promise<void> {
    return this.#processes.close();
  }

  #get(shellId: string) {
    const number = NAME.exec(shellId)?.groups?.number;
    const shell = number === undefined ? undefined : this.#processes.find(Number(number));
    if (shell === undefined) throw processErrors.shellNotFound(shellId);
    return shell;
  }
}

function nameOf(pid: number): string {
  return `shell-${pid}`;
}

function asShellData({ pid, data, sequence }: ProcessOutput): ShellData {
  return { shellId: nameOf(pid), data, sequence };
}

/** What processes tell, in the words of shells. */
function asShells(announcer: Announcer): Announcer {
  return {
    broadcast: (...told) => {
      const [name, about] = told;
      if (name === "processOutput") announcer.broadcast("shellData", asShellData(about));
      else if (name === "processExit") {
        const { pid, signal: _signal, ...exit } = about;
        announcer.broadcast("shellExit", { shellId: nameOf(pid), ...exit });
      }
    },
  };
}
