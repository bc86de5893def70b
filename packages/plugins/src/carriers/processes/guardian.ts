/**
 * Guardian: what this process has started ends with it, however it ends itself.
 *
 * A host that is killed, crashes or is told twice to stop can end nobody any more, and what it started may not hear of it: it loops, it
 * is stopped, it never listens. So beside a host that has such processes there is one more, of our own (`guardian-main.ts`). It holds the
 * end of a pipe, has the list of them, and ends them when the pipe ends. There is none while the list is empty.
 *
 * Whoever ends the guardian finds another in its place at the next look. One that was stopped is told to go on: at the next look, or, on
 * Linux, by the kernel when the host is gone. One that can't be started while there is none to be guarded keeps that from starting; later it
 * is tried again at each look, and the log has a line.
 */
import { type ChildProcess, type SpawnOptions, spawn } from "node:child_process";
import { once } from "node:events";
import { Socket } from "node:net";
import { fileURLToPath } from "node:url";
import { type Logger, sourceArguments } from "@troupe/base";
import { engineLimits } from "@troupe/protocol";
import { startedChild } from "@troupe/runtime/process";
import { startOf } from "./proc.ts";

/** A process and all that it started. */
export interface Charge {
  /** It leads a group of this number. */
  readonly pid?: number | undefined;
  /** When it was started, in the kernel's own time: another one may have its number later. */
  readonly started?: string | undefined;
  /** What its environment, and that of what it starts, has as `TROUPE_WORKER_ID`. */
  readonly id?: string | undefined;
}

/** A process that is to be guarded. */
export interface Ward {
  /** Starts it, as the leader of a group, in this turn. */
  readonly start: () => ChildProcess;
  /** What its environment has as `TROUPE_WORKER_ID`. */
  readonly id?: string;
  /** Is told when nobody guards it. */
  readonly log: Logger;
}

/** One process that ends with this one. */
export interface Guarded {
  readonly child: ChildProcess;
  /** Nothing of it is left; again: nothing. Settles when a guardian that has nobody else is gone. */
  ended(): Promise<void>;
}

/** Guards the processes of one host. */
export class Guardian {
  readonly #wards = new Map<number, { readonly charge: Charge; readonly log: Logger }>();
  #last = 0;
  #child: ChildProcess | undefined;
  #looks: NodeJS.Timeout | undefined;
  /** The log was told that there is none. */
  #isMissed = false;

  /**
   * Starts one: its `id` is known before it runs, so that there is no time without a guard. Throws as `start` does, and
   * `storage.too_many_open_files`; nothing of it is left then.
   */
  guard({ start, id, log }: Ward): Guarded {
    this.#last += 1;
    const number = this.#last;
    const ended = (): Promise<void> => this.#forget(number);
    try {
      this.#set(number, { id }, log);
      const child = startedChild(start());
      const { pid } = child;
      if (pid !== undefined) this.#set(number, { id, pid, started: startOf(pid) }, log);
      return { child, ended };
    } catch (cause) {
      void ended();
      throw cause;
    }
  }

  #set(number: number, charge: Charge, log: Logger): void {
    this.#wards.set(number, { charge, log });
    if (this.#child === undefined) this.#start();
    else this.#tell(this.#child);
    this.#looks ??= setInterval(() => this.#look(), engineLimits.guardianLookMs).unref();
  }

  async #forget(number: number): Promise<void> {
    if (!this.#wards.delete(number)) return;
    const child = this.#child;
    if (this.#wards.size > 0) {
      if (child !== undefined) this.#tell(child);
      return;
    }
    clearInterval(this.#looks);
    this.#looks = undefined;
    this.#child = undefined;
    this.#isMissed = false;
    if (child?.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    child.ref();
    const gone = once(child, "exit");
    child.kill("SIGKILL");
    await gone;
  }

  /** Throws where it can't be. */
  #start(): void {
    const options: SpawnOptions = {
      env: {},
      cwd: "/",
      detached: true,
      stdio: ["pipe", "ignore", "ignore"],
    };
    const child = startedChild(spawn(process.execPath, guardianArguments(), options));
    this.#child = child;
    const gone = (): void => {
      if (this.#child === child) this.#child = undefined;
    };
    child
      .once("spawn", () => {
        this.#isMissed = false;
      })
      .once("exit", gone)
      .once("error", (cause) => {
        gone();
        this.#missed(cause);
      })
      .unref();
    // A guardian that ended reads nothing: the next one is told all of it.
    child.stdin?.on("error", () => {});
    if (child.stdin instanceof Socket) child.stdin.unref();
    this.#tell(child);
  }

  /** All of them each time: who guards nobody else's has few. */
  #tell({ stdin }: ChildProcess): void {
    const charges = [...this.#wards.values()].map(({ charge }) => charge);
    stdin?.write(`${JSON.stringify(charges)}\n`);
  }

  #look(): void {
    if (this.#child !== undefined) return void this.#child.kill("SIGCONT");
    try {
      this.#start();
    } catch (cause) {
      this.#missed(cause);
    }
  }

  /** It is tried again at each look; one line says so. */
  #missed(cause: unknown): void {
    const [ward] = this.#wards.values();
    if (this.#isMissed || ward === undefined) return;
    this.#isMissed = true;
    const line =
      "The guardian of workers and isolates can't be started: a host that is killed now may leave them behind";
    ward.log.warn(line, { cause, everyMs: engineLimits.guardianLookMs });
  }
}

/** This process's, which all carriers share. */
export const guardian = new Guardian();

function guardianArguments(): string[] {
  const suffix = import.meta.url.endsWith(".ts") ? "ts" : "js";
  const main = fileURLToPath(new URL(`./guardian-main.${suffix}`, import.meta.url));
  const conditions = sourceArguments(main, process.env.NODE_COMPILE_CACHE);
  return [...conditions, main, String(engineLimits.guardianWaitMs)];
}
