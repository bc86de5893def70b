/**
 * Worker process: a plugin's process, from its start until nothing of it runs.
 *
 * It leads a process group of its own: a signal to the terminal isn't for it, and its end is that of all that it started.
 * What it started counts as its own (`worker-bounds.ts`), also what has left the group and its parent (`processes/strays.ts`).
 * Descriptor 3 carries its token, and then nothing: it stays open as long as the host lives, so that its end tells the
 * process of the host's death. One that doesn't look at it ends with the host all the same (`processes/guardian.ts`).
 */
import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { Writable } from "node:stream";
import type { Logger } from "@troupe/base";
import { engineLimits } from "@troupe/protocol";
import { textWithoutSecrets } from "@troupe/relay";
import { guardian } from "../processes/guardian.ts";
import { ProcessTree } from "../processes/process-tree.ts";
import { Strays } from "../processes/strays.ts";
import type { WorkerExit } from "./errors.ts";
import { type Handover, workerHandover } from "./handover.ts";
import type { Launch } from "./launch.ts";
import { settledWithin } from "./settled-within.ts";
import { BoundsWatch, endFirst, type WorkerBounds, type WorkerExcess } from "./worker-bounds.ts";

/** How long a dead process's standard error may stay open in something that outlived it. */
const LAST_WORDS_MS = 500;

/** What it needs of its host. */
export interface WorkerProcessOptions {
  readonly log: Logger;
  /** Default: as the limits say. */
  readonly bounds?: WorkerBounds | undefined;
}

/** One process. */
export class WorkerProcess {
  /** Settles when the process is gone, with all that it said. Rejects if it was never there. */
  readonly exited: Promise<WorkerExit>;
  readonly #child: ChildProcess;
  readonly #bounds: BoundsWatch | undefined;
  #excess: WorkerExcess | undefined;
  #stderr = Buffer.alloc(0);
  #isCut = false;
  #ended: Promise<void> | undefined;

  /** Throws `storage.too_many_open_files`. */
  constructor(launch: Launch, handover: Handover, { log, bounds = {} }: WorkerProcessOptions) {
    const id = randomBytes(16).toString("hex");
    const strays = new Strays(id);
    const env = {
      ...launch.env,
      ...strays.env,
      [workerHandover.socket]: handover.socket,
      [workerHandover.tokenFd]: String(workerHandover.fd),
    };
    const start = (): ChildProcess =>
      spawn(launch.program, launch.args, {
        cwd: launch.cwd,
        env,
        detached: true,
        stdio: [launch.stdin === undefined ? "ignore" : "pipe", "ignore", "pipe", "pipe"],
      });
    const guarded = guardian.guard({ start, id, log });
    this.#child = guarded.child;
    const { pid } = this.#child;
    const exceeded = (excess: WorkerExcess): void => {
      this.#excess = excess;
      this.kill();
    };
    if (pid !== undefined) {
      endFirst(pid);
      this.#bounds = new BoundsWatch(new ProcessTree(pid, strays), bounds, exceeded);
    }
    this.exited = this.#watch().finally(() => guarded.ended());
    // Whoever opens the worker hears of a failed start; nobody may be listening yet.
    this.exited.catch(() => undefined);
    this.#child.stderr?.on("data", (chunk: Buffer) => this.#hear(chunk));
    if (launch.stdin !== undefined) this.#writable(0)?.end(launch.stdin);
    // Written, and not ended: the open end says that the host lives.
    this.#writable(workerHandover.fd)?.write(`${handover.token}\n`);
  }

  /** The last that it said on its standard error, without secrets: errors tell it, to logs and to whoever looks after the host. */
  get stderr(): string {
    const said = this.#stderr.toString("utf8");
    // Half a secret isn't known for one: where the beginning is cut off, so is the rest of its line.
    return textWithoutSecrets(this.#isCut ? said.slice(said.indexOf("\n") + 1) : said);
  }

  /** Why it was ended: it and what it started had too much of something. */
  get excess(): WorkerExcess | undefined {
    return this.#excess;
  }

  /** Ends it and all that it started. They stand still at once, and `exited` settles when none is left. */
  kill(): void {
    this.#ended ??= this.#end();
  }

  async #end(): Promise<void> {
    const { pid } = this.#child;
    if (pid === undefined) return;
    // Before the group, whose end would hide who started whom.
    await this.#bounds?.end();
    try {
      process.kill(-pid, "SIGKILL");
    } catch {
      // Nothing of the group is left.
    }
  }

  async #watch(): Promise<WorkerExit> {
    const child = this.#child;
    const silent = new Promise<void>((resolve) => child.once("close", () => resolve()));
    const exit = await new Promise<WorkerExit>((resolve, reject) => {
      child.once("error", reject);
      child.once("exit", (code, signal) => resolve({ code, signal }));
    });
    this.kill();
    await this.#ended;
    await settledWithin(silent, LAST_WORDS_MS);
    for (const stream of child.stdio) stream?.destroy();
    return exit;
  }

  #hear(chunk: Buffer): void {
    const all = Buffer.concat([this.#stderr, chunk]);
    this.#isCut ||= all.length > engineLimits.workerStderrBytes;
    this.#stderr = all.subarray(Math.max(0, all.length - engineLimits.workerStderrBytes));
  }

  /** A process that ended early leaves a broken pipe: its end is told by `exited`. */
  #writable(descriptor: number): Writable | undefined {
    const stream = this.#child.stdio[descriptor];
    if (!(stream instanceof Writable)) return undefined;
    return stream.on("error", () => undefined);
  }
}
