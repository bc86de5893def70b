/**
 * Guardian: what this process has started ends with it, however it ends itself.
 *
 * A host that is killed, crashes or is told twice to stop can end nobody any more, and what it started may not hear of it: it loops, it
 * is stopped, it never listens. So beside a host that has such processes there is one more, of our own (`guardian-main.ts`). It holds the
 * end of a pipe, has the list of them, and ends them when the pipe ends. There is none while the list is empty.
 *
 * Whoever ends the guardian finds another in its place at the next look, and one that was stopped is told to go on.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { Socket } from "node:net";
import { fileURLToPath } from "node:url";
import { sourceArguments } from "@troupe/base";
import { engineLimits } from "@troupe/protocol";
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

/** One process that ends with this one. */
export interface Guarded {
  readonly child: ChildProcess;
  /** Nothing of it is left; again: nothing. Settles when a guardian that has nobody else is gone. */
  ended(): Promise<void>;
}

/** Guards the processes of one host. */
export class Guardian {
  readonly #charges = new Map<number, Charge>();
  #last = 0;
  #child: ChildProcess | undefined;
  #looks: NodeJS.Timeout | undefined;

  /** Starts one, as the leader of a group: `id` is known before it runs, so that there is no time without a guard. Throws as `start` does. */
  guard(start: () => ChildProcess, id?: string): Guarded {
    this.#last += 1;
    const number = this.#last;
    const ended = (): Promise<void> => this.#forget(number);
    this.#set(number, { id });
    try {
      const child = start();
      const { pid } = child;
      if (pid !== undefined) this.#set(number, { id, pid, started: startOf(pid) });
      return { child, ended };
    } catch (cause) {
      void ended();
      throw cause;
    }
  }

  #set(number: number, charge: Charge): void {
    this.#charges.set(number, charge);
    if (this.#child === undefined) this.#start();
    else this.#tell(this.#child);
    this.#looks ??= setInterval(() => this.#look(), engineLimits.guardianLookMs).unref();
  }

  async #forget(number: number): Promise<void> {
    if (!this.#charges.delete(number)) return;
    const child = this.#child;
    if (this.#charges.size > 0) {
      if (child !== undefined) this.#tell(child);
      return;
    }
    clearInterval(this.#looks);
    this.#looks = undefined;
    this.#child = undefined;
    if (child?.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    child.ref();
    const gone = once(child, "exit");
    child.kill("SIGKILL");
    await gone;
  }

  #start(): void {
    const child = spawn(process.execPath, guardianArguments(), {
      env: {},
      cwd: "/",
      detached: true,
      stdio: ["pipe", "ignore", "ignore"],
    });
    this.#child = child;
    const gone = (): void => {
      if (this.#child === child) this.#child = undefined;
    };
    child.once("exit", gone).once("error", gone).unref();
    if (!(child.stdin instanceof Socket)) throw new RangeError("A pipe is a socket");
    // A guardian that ended reads nothing: the next one is told all of it.
    child.stdin.on("error", () => {}).unref();
    this.#tell(child);
  }

  /** All of them each time: who guards nobody else's has few. */
  #tell({ stdin }: ChildProcess): void {
    stdin?.write(`${JSON.stringify([...this.#charges.values()])}\n`);
  }

  #look(): void {
    if (this.#child === undefined) this.#start();
    else this.#child.kill("SIGCONT");
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
