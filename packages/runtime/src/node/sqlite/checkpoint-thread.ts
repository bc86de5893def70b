/**
 * CheckpointThread: the slow disk work of all shards, away from the runtime's thread and from the syncs.
 *
 * A checkpoint writes megabytes and waits for two syncs of its own; on the disk thread an action's sync would queue
 * behind it. Requests are rare, so messages will do, and the thread is started by the first one.
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
  #worker: Worker | undefined;
  readonly #waiting = new Map<number, Waiting>();
  #lastId = 0;
  #lost: Error | undefined;

  /** Rejects when SQLite refused; the database is as good as before. */
  run(path: string, kind: CheckpointRequest["kind"]): Promise<CheckpointResult> {
    if (this.#lost !== undefined) return Promise.reject(this.#lost);
    this.#lastId += 1;
    const request: CheckpointRequest = { id: this.#lastId, path, kind };
    this.#worker ??= this.#start();
    const worker = this.#worker;
    return new Promise((resolve, reject) => {
      this.#waiting.set(request.id, { resolve, reject });
      worker.ref();
      worker.postMessage(request);
    });
  }

  /** Ends the thread; what comes now is refused. */
  async stop(): Promise<void> {
    const running = this.#lost === undefined ? this.#worker : undefined;
    this.#lose(new Error("the checkpoint thread ended"));
    await running?.terminate();
  }

  #start(): Worker {
    const worker = new Worker(workerUrl("checkpoint-worker", import.meta.url), {
      execArgv: [],
      name: "troupe-checkpoint",
    });
    worker.on("message", (answer: CheckpointAnswer) => this.#answered(answer));
    worker.on("error", (error) => this.#lose(error));
    worker.on("exit", () => this.#lose(new Error("the checkpoint thread ended")));
    return worker;
  }

  #answered(answer: CheckpointAnswer): void {
    const waiting = this.#waiting.get(answer.id);
    this.#waiting.delete(answer.id);
    if (this.#waiting.size === 0) this.#worker?.unref();
    if (answer.result !== undefined) waiting?.resolve(answer.result);
    else waiting?.reject(new Error(answer.error));
  }

  #lose(error: Error): void {
    this.#lost ??= error;
    for (const waiting of this.#waiting.values()) waiting.reject(this.#lost);
    this.#waiting.clear();
  }
}
