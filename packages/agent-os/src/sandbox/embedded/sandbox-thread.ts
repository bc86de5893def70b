/**
 * SandboxThread: one worker thread that runs operations of sandboxes, one at a time.
 *
 * A loop in a shell can't be interrupted from within: whoever wants it to end ends the thread. The thread is unreferenced
 * but for the time of an operation, so that a process with nothing else to do may end.
 */
import { Worker } from "node:worker_threads";
import { assert } from "@troupe/base";
import { limits } from "@troupe/protocol";
import { processErrors, sandboxErrors } from "../../errors.ts";
import type { SandboxNetwork } from "../network.ts";
import type { EmbeddedBounds } from "./bounds.ts";
import { demote } from "./give-way.ts";
import type {
  FetchAnswer,
  FetchQuestion,
  InnerTime,
  ThreadAnswer,
  ThreadData,
  ThreadIdentity,
  ThreadRequest,
} from "./messages.ts";
import { workerUrl } from "./worker-url.ts";

interface Waiting {
  readonly network: SandboxNetwork | undefined;
  /** Fires when the operation is over. */
  readonly over: AbortController;
  readonly resolve: (answer: ThreadAnswer) => void;
  readonly reject: (error: unknown) => void;
}

/** Which sandbox's files a thread has. */
export interface HeldImage {
  readonly sandbox: number;
  readonly version: number;
}

/** A thread for sandboxes. */
export class SandboxThread {
  /** What the pool sent last. */
  held: HeldImage | undefined;
  readonly #worker: Worker;
  #waiting: Waiting | undefined;
  #lost: unknown;
  #innerSeconds = 0;
  #kernelThread: number | undefined;
  #isDemoted = false;
  /** What it had taken of the processor when it was first asked in its operation. */
  #secondsBefore: number | undefined;

  constructor({ memoryBytes, fileBytes, cpuSeconds }: EmbeddedBounds) {
    const workerData: ThreadData = {
      fileBytes,
      outputBytes: limits.sandboxOutputBytes,
      scriptMs: limits.sandboxExecMaxMs,
      tellsInnerTime: cpuSeconds !== undefined,
    };
    this.#worker = new Worker(workerUrl("sandbox-worker", import.meta.url), {
      workerData,
      // The thread of `js-exec` looks at a part of Node that is new.
      execArgv: ["--disable-warning=ExperimentalWarning"],
      // Nothing of the host's environment is for a sandbox.
      env: {},
      name: "troupe-sandbox",
      resourceLimits: { maxOldGenerationSizeMb: Math.ceil(memoryBytes / (1024 * 1024)) },
    });
    this.#worker.unref();
    this.#worker.on("message", (said: ThreadAnswer | FetchQuestion | InnerTime | ThreadIdentity) => {
      if ("fetch" in said) void this.#fetch(said);
      else if ("innerSeconds" in said) this.#innerSeconds = said.innerSeconds;
      else if ("kernelThread" in said) this.#kernelThread = said.kernelThread;
      else this.#take()?.resolve(said);
    });
    this.#worker.on("error", (cause) => this.#lose(lossOf(cause)));
    this.#worker.on("exit", () => this.#lose(sandboxErrors.threadLost("it exited")));
  }

  /** True when it takes no more requests. */
  get lost(): boolean {
    return this.#lost !== undefined;
  }

  /** True when it takes only the time of the processor that no other thread wants. */
  get isDemoted(): boolean {
    return this.#isDemoted;
  }

  /** What runs has taken its share of the processor. Does nothing where that can't be done. */
  demote(): void {
    if (this.#isDemoted || this.#kernelThread === undefined) return;
    this.#isDemoted = true;
    demote(this.#kernelThread, () => {
      this.#isDemoted = false;
      this.#kernelThread = undefined;
    });
  }

  /** Sends a request; what it asks of the network meanwhile goes there. Rejects when the thread ends before it has answered. */
  request(request: ThreadRequest, network?: SandboxNetwork): Promise<ThreadAnswer> {
    assert(this.#waiting === undefined, "one operation at a time");
    if (this.#lost !== undefined) return Promise.reject(this.#lost);
    this.#secondsBefore = undefined;
    return new Promise((resolve, reject) => {
      this.#waiting = { network, over: new AbortController(), resolve, reject };
      this.#worker.ref();
      this.#worker.postMessage(request);
    });
  }

  /** Time of the processor since this was first asked in the operation that runs. May never settle: see `ThreadWatch`. It takes Node 24.6. */
  async cpuSeconds(): Promise<number> {
    const { user, system } = await this.#worker.cpuUsage();
    const seconds = (user + system) / 1_000_000 + this.#innerSeconds;
    this.#secondsBefore ??= seconds;
    return seconds - this.#secondsBefore;
  }

  /** What is on its heap, also what nobody needs any more. May never settle: see `ThreadWatch`. */
  async heapBytes(): Promise<number> {
    return (await this.#worker.getHeapStatistics()).used_heap_size;
  }

  /** Ends the thread now; what runs in it rejects with `why`. Settles when it is gone. */
  async end(why: unknown): Promise<void> {
    this.#lose(why);
    await this.#worker.terminate();
  }

  async #fetch({ fetch: fetched, request }: FetchQuestion): Promise<void> {
    const waiting = this.#waiting;
    if (waiting?.network === undefined) return;
    const answer = await waiting.network.fetch(request, waiting.over.signal).then(
      (response): FetchAnswer => ({ fetched, response }),
      (cause: unknown): FetchAnswer => ({
        fetched,
        failure: cause instanceof Error ? cause.message : "failed",
      }),
    );
    if (this.#waiting === waiting) this.#worker.postMessage(answer);
  }

  #lose(why: unknown): void {
    this.#lost ??= why;
    this.#take()?.reject(this.#lost);
  }

  #take(): Waiting | undefined {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.over.abort(sandboxErrors.cancelled());
    if (this.#lost === undefined) this.#worker.unref();
    return waiting;
  }
}

function lossOf(cause: unknown): Error {
  const isFull = cause instanceof Error && "code" in cause && cause.code === "ERR_WORKER_OUT_OF_MEMORY";
  return isFull ? processErrors.limitExceeded("memoryBytes") : sandboxErrors.threadLost(cause);
}
