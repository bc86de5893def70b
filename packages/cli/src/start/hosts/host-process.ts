/**
 * HostProcess: one process with a program's actors, kept alive.
 *
 *   starting ──ready──▶ serving ──ended──▶ waiting ──▶ starting
 *      └── ended before it was ever ready: the start has failed
 *
 * One that ends is started again at once; one that ends again soon waits longer each time, so that a program that can't run
 * doesn't keep the machine busy. A process ends by itself when its supervisor is gone, however that ended.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { startErrors } from "../../errors.ts";

/** A life that was longer than this is no reason to wait before the next one. */
const LONG_LIFE_MS = 10_000;
const FIRST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 10_000;
/** What is asked to end and doesn't is killed after this. */
const END_GRACE_MS = 5_000;

/** What a process is started with. */
export interface HostProcessParts {
  /** How people know it. */
  readonly number: number;
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Where the engine is, and what shows it who this is. */
  readonly place: { readonly socket: string; readonly token: string };
  /** Says that one has ended and is started again. */
  readonly tell: (line: string) => void;
}

/** One supervised process. */
export class HostProcess {
  readonly #parts: HostProcessParts;
  readonly #ready = Promise.withResolvers<void>();
  readonly #over = Promise.withResolvers<void>();
  #child: ChildProcess | undefined;
  #startedAt = 0;
  #served = false;
  /** Ends in a row that came soon. */
  #failures = 0;
  #wait: NodeJS.Timeout | undefined;
  #stopping = false;

  constructor(parts: HostProcessParts) {
    this.#parts = parts;
    this.#ready.promise.catch(() => {});
    this.#start();
  }

  /** Settles when it serves for the first time; rejects with `config.host_failed` when it ends before. */
  get ready(): Promise<void> {
    return this.#ready.promise;
  }

  /** Of the process that runs now. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** It isn't started again when it ends. */
  retire(): void {
    this.#stopping = true;
    clearTimeout(this.#wait);
  }

  /** Ends it; settles when it has ended. */
  async stop(): Promise<void> {
    this.retire();
    const child = this.#child;
    if (child === undefined) return;
    // Its end of the channel is how it knows that it is to end.
    if (child.connected) child.disconnect();
    const late = setTimeout(() => child.kill("SIGKILL"), END_GRACE_MS);
    await this.#over.promise;
    clearTimeout(late);
  }

  #start(): void {
    const [command = "", ...args] = this.#parts.command;
    this.#startedAt = performance.now();
    const env = { ...process.env, ...this.#parts.env, TROUPE_HOST_PROCESS: String(this.#parts.number) };
    const child = spawn(command, args, { stdio: ["ignore", "inherit", "inherit", "ipc"], env });
    this.#child = child;
    // Not in its environment, which every process that an actor starts would have, too. One that has ended, or couldn't be started, says so below.
    if (child.connected) child.send(this.#parts.place, () => {});
    child.once("message", () => {
      this.#served = true;
      this.#ready.resolve();
    });
    child.once("error", (cause) => this.#ended(cause.message));
    child.once("exit", (code, signal) => this.#ended(signal ?? `code ${code}`));
  }

  #ended(how: string): void {
    const { number, tell } = this.#parts;
    const pid = this.#child?.pid;
    this.#child = undefined;
    if (this.#stopping) return this.#over.resolve();
    if (!this.#served) return this.#ready.reject(startErrors.hostFailed(number, how));
    const lived = performance.now() - this.#startedAt;
    this.#failures = lived > LONG_LIFE_MS ? 0 : this.#failures + 1;
    const waitMs =
      this.#failures < 2 ? 0 : Math.min(FIRST_WAIT_MS * 2 ** (this.#failures - 2), LONGEST_WAIT_MS);
    tell(`host ${number} (${pid}) ended with ${how}; starts again${waitMs === 0 ? "" : ` in ${waitMs} ms`}`);
    this.#wait = setTimeout(() => this.#start(), waitMs);
  }
}
