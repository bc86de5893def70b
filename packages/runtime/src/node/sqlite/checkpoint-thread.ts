/**
 * CheckpointThread: the slow disk work of all shards, away from the runtime's thread and from the syncs.
 *
 * A checkpoint writes megabytes and waits for two syncs of its own; on the disk thread an action's sync would queue
 * behind it. Requests are rare, so messages will do.
 */
import { Worker } from "node:worker_threads";
import type { CheckpointAnswer, CheckpointRequest, CheckpointResult } from "./checkpoint-messages.ts";
import { workerUrl } from "./worker-url.ts";

interface Waiting {
  readonly resolve: (result: CheckpointResult) => void;
  readonly reject: (error: Error) => void;
}

/** The thread that moves logs into their databases, one file at a time. */
export class CheckpointThread {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  #lastId = 0;
  #lost: Error | undefined;

  constructor() {
    this.#worker = new Worker(workerUrl("checkpoint-worker", import.meta.url), {
      execArgv: [],
      name: "troupe-checkpoint",
    });
    this.#worker.unref();
    this.#worker.on("message", (answer: CheckpointAnswer) => this.#answered(answer));
    this.#worker.on("error", (error) => this.#lose(error));
    this.#worker.on("exit", () => this.#lose(new Error("the checkpoint thread ended")));
  }

  /** Rejects when SQLite refused; the database is as good as before. */
  run(path: string, kind: CheckpointRequest["kind"]): Promise<CheckpointResult> {
    if (this.#lost !== undefined) return Promise.reject(this.#lost);
    this.#lastId += 1;
    const request: CheckpointRequest = { id: this.#lastId, path, kind };
    return new Promise((resolve, reject) => {
      this.#waiting.set(request.id, { resolve, reject });
      this.#worker.ref();
      this.#worker.postMessage(request);
    });
  }

  async stop(): Promise<void> {
    if (this.#lost === undefined) await this.#worker.terminate();
  }

  #answered(answer: CheckpointAnswer): void {
    const waiting = this.#waiting.get(answer.id);
    this.#waiting.delete(answer.id);
    if (this.#waiting.size === 0) this.#worker.unref();
    if (answer.result !== undefined) waiting?.resolve(answer.result);
    else waiting?.reject(new Error(answer.error));
  }

  #lose(error: Error): void {
    this.#lost ??= error;
    for (const waiting of this.#waiting.values()) waiting.reject(this.#lost);
    this.#waiting.clear();
  }
}
