/**
 * CheckpointThread: the slow disk work of all shards, away from the runtime's thread and from the syncs.
 *
 * A checkpoint writes megabytes and waits for two syncs of its own; on the disk thread an action's sync would queue
 * behind it. Requests are rare, so messages will do, and the thread is started by the first one, or, should it be lost or
 * fail to start, by the next one: a checkpoint that failed has cost nothing but a longer log.
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
  #stopped: Error | undefined;

  /** Rejects when SQLite refused; the database is as good as before. */
  run(path: string, kind: CheckpointRequest["kind"]): Promise<CheckpointResult> {
    if (this.#stopped !== undefined) return Promise.reject(this.#stopped);
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
    const running = this.#worker;
    this.#stopped ??= new Error("the checkpoint thread ended");
    this.#lose(running, this.#stopped);
    await running?.terminate();
  }

  #start(): Worker {
    const worker = new Worker(workerUrl("checkpoint-worker", import.meta.url), {
      execArgv: [],
      name: "troupe-checkpoint",
    });
    worker.on("message", (answer: CheckpointAnswer) => this.#answered(answer));
    worker.on("error", (error) => this.#lose(worker, error));
    worker.on("exit", () => this.#lose(worker, new Error("the checkpoint thread ended")));
    return worker;
  }

  #answered(answer: CheckpointAnswer): void {
    const waiting = this.#waiting.get(answer.id);
    this.#waiting.delete(answer.id);
    if (this.#waiting.size === 0) this.#worker?.unref();
    if (answer.result !== undefined) waiting?.resolve(answer.result);
    else waiting?.reject(new Error(answer.error));
  }

  /** What it was asked for is refused; of one that was lost before it is heard no more. */
  #lose(worker: Worker | undefined, error: Error): void {
    if (worker !== this.#worker) return;
    this.#worker = undefined;
    const all = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const waiting of all) waiting.reject(error);
  }
}
