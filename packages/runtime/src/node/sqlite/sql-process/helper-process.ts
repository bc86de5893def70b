/**
 * HelperProcess: the runtime's end of one helper process. It answers one question at a time, serves one file at a time,
 * and is killed when an answer takes too long: nothing else ends a statement that runs.
 *
 *   starting ──ready──▶ idle ──ask──▶ asked ──answer──▶ idle
 *                         └───────────┴── its end, its time is over ──▶ ended
 *
 * What it has of a file is nothing that anybody was told of: a batch is told when it is durable. Its lock on the file goes
 * when the kernel is done with it: who opens the file anew waits for `exited`.
 */
import type { Env, TimerHandle } from "@troupe/base";
import { limits } from "@troupe/protocol";
import type { HelperAnswer, HelperQuestion, HelperSaying } from "./helper-messages.ts";

/** The process itself: who asks it needs no more of the system. */
export interface HelperChild {
  send(question: HelperQuestion): void;
  /** Ends it at once, whatever it does. */
  kill(): void;
  /** The runtime's process lives on for it: it is asked. */
  hold(): void;
  /** As `hold`, for its end alone. */
  awaitEnd(): void;
  /** The runtime's process doesn't live on for it. */
  letGo(): void;
}

/** Who hears what becomes of a process. */
export interface HelperEar {
  said(saying: HelperSaying): void;
  /** It is gone, and the kernel has taken its locks back. */
  ended(lost: HelperLost): void;
}

/** Starts a process. It says by itself when it is ready; nothing is said before this returns. */
export type StartHelper = (ear: HelperEar) => HelperChild;

/** Why a question has no answer. */
export class HelperLost extends Error {
  readonly why: "time" | "memory" | "ended";

  constructor(why: HelperLost["why"], message: string) {
    super(message);
    this.why = why;
  }
}

/** What it needs of its runtime. */
export type HelperEnv = Pick<Env, "afterTurn" | "timers">;

interface Asked {
  readonly resolve: (answer: HelperAnswer) => void;
  readonly reject: (lost: HelperLost) => void;
  readonly timer: TimerHandle;
}

/** One process. */
export class HelperProcess {
  /** Settles when it is gone. */
  readonly exited: Promise<void>;
  readonly #env: HelperEnv;
  readonly #child: HelperChild;
  readonly #ready = Promise.withResolvers<void>();
  #asked: Asked | undefined;
  #lost: HelperLost | undefined;

  constructor(env: HelperEnv, start: StartHelper) {
    this.#env = env;
    // Nobody may be asking.
    this.#ready.promise.catch(() => {});
    const exited = Promise.withResolvers<void>();
    this.exited = exited.promise;
    this.#child = start({
      said: (saying) => (saying.kind === "ready" ? this.#ready.resolve() : this.#answered(saying)),
      ended: (lost) => {
        this.#lose(lost);
        exited.resolve();
      },
    });
    this.#letGo();
  }

  /** True when nobody answers any more. */
  get ended(): boolean {
    return this.#lost !== undefined;
  }

  /** The answer. Not while another question has none. Rejects with `HelperLost`: at once when the time is over. */
  async ask(question: HelperQuestion, timeoutMs: number): Promise<HelperAnswer> {
    this.#child.hold();
    try {
      await this.#started();
      return await this.#ask(question, timeoutMs);
    } finally {
      this.#letGo();
    }
  }

  /** Ends it at once, whatever it does. */
  kill(): void {
    this.#lose(new HelperLost("ended", "it was killed"));
    this.#child.kill();
  }

  async #started(): Promise<void> {
    const { timers } = this.#env;
    const timer = timers.set(() => this.#late(limits.sqlHelperAnswerMs), limits.sqlHelperAnswerMs);
    try {
      await this.#ready.promise;
    } finally {
      timers.clear(timer);
    }
  }

  #ask(question: HelperQuestion, timeoutMs: number): Promise<HelperAnswer> {
    return new Promise((resolve, reject) => {
      if (this.#lost !== undefined) return reject(this.#lost);
      const { timers, afterTurn } = this.#env;
      // A runtime that was held up itself hears the answers that wait for it first.
      const over = (): void =>
        afterTurn(() => {
          if (this.#asked === asked) this.#late(timeoutMs);
        });
      const asked: Asked = { resolve, reject, timer: timers.set(over, timeoutMs) };
      this.#asked = asked;
      this.#child.send(question);
    });
  }

  #answered(answer: HelperAnswer): void {
    const asked = this.#take();
    asked?.resolve(answer);
  }

  #late(timeoutMs: number): void {
    this.#lose(new HelperLost("time", `no answer in ${timeoutMs} ms`));
    this.#child.kill();
  }

  #lose(lost: HelperLost): void {
    this.#lost ??= lost;
    this.#ready.reject(this.#lost);
    // Its end is near, and somebody may wait for it.
    this.#child.awaitEnd();
    this.#take()?.reject(this.#lost);
  }

  #take(): Asked | undefined {
    const asked = this.#asked;
    this.#asked = undefined;
    if (asked !== undefined) this.#env.timers.clear(asked.timer);
    return asked;
  }

  /** The runtime's process doesn't live on for one that has nothing to do. */
  #letGo(): void {
    if (this.#lost === undefined) this.#child.letGo();
  }
}
