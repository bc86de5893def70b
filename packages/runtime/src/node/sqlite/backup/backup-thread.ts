/**
 * BackupThread: what a backup reads and writes, away from the runtime's thread. It lives as long as one backup, and asks one
 * thing at a time.
 */
import { Worker } from "node:worker_threads";
import { assert } from "@troupe/base";
import { backupErrors } from "../../../backup-errors.ts";
import { fileError } from "../files.ts";
import { isDamage } from "../sqlite.ts";
import { workerUrl } from "../worker-url.ts";
import type {
  BackupFailure,
  BackupQuestion,
  BackupValues,
  FromBackupThread,
  ToBackupThread,
} from "./backup-messages.ts";
import { backupLimits } from "./limits.ts";

interface Waiting {
  readonly id: number;
  readonly question: BackupQuestion;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** The thread of one backup. */
export class BackupThread {
  readonly #worker: Worker;
  readonly #progress: (bytes: number) => void;
  #waiting: Waiting | undefined;
  #lastId = 0;
  #lost: Error | undefined;
  #ended: unknown;

  /** `progress`: what was copied so far of the database that is being copied. */
  constructor(progress: (bytes: number) => void) {
    this.#progress = progress;
    this.#worker = new Worker(workerUrl("backup-worker", import.meta.url), {
      execArgv: [],
      name: "troupe-backup",
    });
    this.#worker.on("message", (message: FromBackupThread) => this.#heard(message));
    this.#worker.on("error", (error) => this.#lose(error));
    this.#worker.on("exit", () => this.#lose(new Error("the backup thread ended")));
  }

  /** Rejects with `backup.*`, `storage.*`, and what it was ended with. */
  async ask<Question extends BackupQuestion>(question: Question): Promise<BackupValues[Question["kind"]]> {
    assert(this.#waiting === undefined, "a backup asks one thing at a time");
    if (this.#ended !== undefined) throw this.#ended;
    if (this.#lost !== undefined) throw this.#lost;
    this.#lastId += 1;
    const id = this.#lastId;
    const answer = new Promise<unknown>((resolve, reject) => {
      this.#waiting = { id, question, resolve, reject };
    });
    this.#say({ kind: "ask", id, question });
    // What the thread answers is of this program's making.
    return (await answer) as BackupValues[Question["kind"]];
  }

  /** What it was ended with. */
  get ended(): unknown {
    return this.#ended;
  }

  /** What runs ends soon, and rejects with `reason`, as all that is asked from now on. */
  end(reason: unknown): void {
    this.#ended ??= reason;
    this.#say({ kind: "end" });
  }

  async stop(): Promise<void> {
    this.#lose(new Error("the backup has ended"));
    await this.#worker.terminate();
  }

  #say(message: ToBackupThread): void {
    this.#worker.postMessage(message);
  }

  #heard(message: FromBackupThread): void {
    if (message.kind === "progress") return this.#progress(message.bytes);
    const waiting = this.#waiting;
    if (waiting?.id !== message.id) return;
    this.#waiting = undefined;
    if (message.kind === "answer") waiting.resolve(message.value);
    else waiting.reject(this.#ended ?? errorOf(waiting.question, message.failure));
  }

  #lose(error: Error): void {
    this.#lost ??= error;
    this.#waiting?.reject(this.#ended ?? this.#lost);
    this.#waiting = undefined;
  }
}

/** The source is damaged, or the target is full, or what else it may be: the thread knows no typed errors. */
function errorOf(question: BackupQuestion, { message, why, ...codes }: BackupFailure): unknown {
  const cause = Object.assign(new Error(message), codes);
  if (question.kind !== "copy") return fileError("path" in question ? question.path : question.shard, cause);
  if (why === "log") return backupErrors.logTooLong(question.from, backupLimits.logBytes);
  if (why === "damaged" || isDamage(cause)) return backupErrors.damaged(question.from, message);
  return fileError(question.to, cause);
}
