/**
 * HelperLine: one file's line to a helper process, which it borrows when there is something to ask.
 *
 *   without ──ask──▶ resting ⇄ asking ──rested for long, or others wait──▶ without
 *                        └────────┴── the helper is lost ──▶ without
 *
 * What is to be done goes through the line one after the other. A helper that is lost with an open batch, or in a commit,
 * leaves word of it (`undone`), until whoever begins anew has asked to forget it.
 */
import { type Env, TroupeError } from "@troupe/base";
import { limits } from "@troupe/protocol";
import { sqlErrors } from "../../../sql/errors.ts";
import type { HelperError, HelperQuestion, HelperValues, OpenQuestion } from "./helper-messages.ts";
import type { HelperPool, HelperUser } from "./helper-pool.ts";
import { HelperLost, type HelperProcess } from "./helper-process.ts";
import { SyncFailed } from "./sync-failed.ts";

/** What a line is made of. */
export interface HelperLineParts {
  readonly env: Pick<Env, "clock" | "timers">;
  readonly pool: HelperPool;
  /** What a new helper is asked first. */
  readonly opening: () => OpenQuestion;
}

/** The helper was lost while it was asked. */
export class LostInQuestion extends Error {
  /** What to say of it. */
  readonly error: TroupeError;

  constructor(error: TroupeError) {
    super(error.message, { cause: error });
    this.error = error;
  }
}

/** The way to one file. */
export class HelperLine implements HelperUser {
  readonly #parts: HelperLineParts;
  #helper: HelperProcess | undefined;
  #borrowedAt = 0;
  /** Those that had the file settle when the kernel has taken their locks back. */
  #gone: Promise<void> | undefined;
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;
  /** The helper holds what no batch has stored. */
  #pending = false;
  #undone: TroupeError | undefined;
  #losses = 0;
  /** SQL of the actor's runs. */
  #running = false;
  #timer: ReturnType<Env["timers"]["set"]> | undefined;

  constructor(parts: HelperLineParts) {
    this.#parts = parts;
  }

  /** What was lost with a helper and can't be gone on from. */
  get undone(): TroupeError | undefined {
    this.#notice();
    return this.#undone;
  }

  /** Goes up when what a helper held is lost. */
  get losses(): number {
    return this.#losses;
  }

  /** A helper has the file. */
  get open(): boolean {
    return this.#helper !== undefined;
  }

  /** Does `work` when all before it is done. */
  run<Value>(work: () => Promise<Value>): Promise<Value> {
    this.#parts.pool.wake(this);
    this.#stopTimer();
    this.#waiting += 1;
    const done = this.#last.then(work);
    this.#last = done.then(this.#rest, this.#rest);
    return done;
  }

  /** Asks the helper, in `work` alone. Rejects with `LostInQuestion`, `SyncFailed`, and with what the helper says. */
  async ask<Question extends HelperQuestion>(
    question: Question,
    timeoutMs: number,
  ): Promise<HelperValues[Question["kind"]]> {
    const helper = await this.#withFile();
    const { pending, ...answer } = await this.#asked(helper, question, timeoutMs);
    this.#pending = pending;
    if (answer.final === true) throw new SyncFailed(answer.error?.message);
    if (answer.error !== undefined) throw revived(answer.error);
    // What a helper answers is of this program's making: it runs SQL, and no code of the actor's.
    return answer.value as HelperValues[Question["kind"]];
  }

  /** A batch that may be stored, or not, is lost for who goes on: nothing does. */
  lose(error: TroupeError): void {
    this.#undone ??= error;
  }

  /** What no batch has stored is gone, in `work` alone. */
  async abandon(): Promise<void> {
    this.#notice();
    this.#undone = undefined;
    this.#losses += 1;
    if (!this.#pending) return;
    await this.ask({ kind: "abandon" }, limits.sqlHelperAnswerMs);
  }

  /** Gives the helper back, in `work` alone, unless it holds something. Never rejects. */
  async leave(): Promise<void> {
    this.#stopTimer();
    this.#notice();
    const helper = this.#helper;
    if (helper === undefined || this.#pending) return;
    this.#helper = undefined;
    const { pool } = this.#parts;
    try {
      const { error } = await helper.ask({ kind: "close" }, limits.sqlHelperAnswerMs);
      if (error === undefined) return pool.giveBack(helper);
    } catch {
      // It is lost, and with it nothing: all that it had is stored.
    }
    this.#end(helper);
  }

  giveUp(): void {
    void this.run(() => this.leave());
  }

  /** Ends the helper when a statement runs in it: nobody waits for that any more. */
  killRunning(): void {
    if (this.#running) this.#helper?.kill();
  }

  /** Settles when no helper can have the file any more. In `work`, after `leave`. */
  async released(): Promise<void> {
    await this.#gone;
  }

  async #asked(
    helper: HelperProcess,
    question: HelperQuestion,
    timeoutMs: number,
  ): ReturnType<HelperProcess["ask"]> {
    this.#running = question.kind === "execute" || question.kind === "batch";
    try {
      return await helper.ask(question, timeoutMs);
    } catch (cause) {
      if (!(cause instanceof HelperLost)) throw cause;
      throw new LostInQuestion(this.#lost(helper, errorOf(cause, timeoutMs)));
    } finally {
      this.#running = false;
    }
  }

  async #withFile(): Promise<HelperProcess> {
    this.#notice();
    const { pool, env } = this.#parts;
    if (pool.wanted && env.clock.monotonic() - this.#borrowedAt > limits.sqlHelperTurnMs) await this.leave();
    if (this.#helper !== undefined) return this.#helper;
    // One that is on its way out has SQLite's lock.
    await this.#gone;
    const helper = await pool.borrow();
    const { error } = await this.#opened(helper);
    if (error !== undefined) {
      pool.giveBack(helper);
      throw revived(error);
    }
    this.#helper = helper;
    this.#borrowedAt = env.clock.monotonic();
    return helper;
  }

  async #opened(helper: HelperProcess): ReturnType<HelperProcess["ask"]> {
    try {
      return await helper.ask(this.#parts.opening(), limits.sqlHelperAnswerMs);
    } catch (cause) {
      this.#end(helper);
      throw cause instanceof HelperLost ? sqlErrors.helperLost(cause.message) : cause;
    }
  }

  /** One may end while nobody asks it. */
  #notice(): void {
    if (this.#helper?.ended === true) this.#lost(this.#helper, sqlErrors.helperLost("it ended by itself"));
  }

  #lost(helper: HelperProcess, error: TroupeError): TroupeError {
    this.#helper = undefined;
    this.#end(helper);
    if (this.#pending) this.#undone ??= error;
    this.#pending = false;
    this.#losses += 1;
    return error;
  }

  #end(helper: HelperProcess): void {
    helper.kill();
    this.#gone = helper.exited;
  }

  readonly #rest = (): void => {
    this.#waiting -= 1;
    if (this.#waiting > 0 || this.#helper === undefined || this.#pending) return;
    this.#parts.pool.rest(this);
    this.#stopTimer();
    const { timers } = this.#parts.env;
    this.#timer = timers.set(() => this.giveUp(), limits.sqlHelperIdleMs, { background: true });
  };

  #stopTimer(): void {
    if (this.#timer !== undefined) this.#parts.env.timers.clear(this.#timer);
    this.#timer = undefined;
  }
}

function errorOf({ why, message }: HelperLost, timeoutMs: number): TroupeError {
  if (why === "time") return sqlErrors.timedOut(timeoutMs);
  if (why === "memory") return sqlErrors.memoryExceeded(limits.sqlHelperMemoryMb);
  return sqlErrors.helperLost(message);
}

function revived({ group, code, message, ...options }: HelperError): TroupeError {
  const { metadata, ...rest } = options;
  return new TroupeError(group, code, message, { ...rest, ...(metadata && { metadata }) });
}
