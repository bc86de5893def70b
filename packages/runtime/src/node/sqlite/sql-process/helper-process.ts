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
import { type ChildProcess, spawn } from "node:child_process";
import { Socket } from "node:net";
import { fileURLToPath } from "node:url";
import type { Env, TimerHandle } from "@troupe/base";
import { limits } from "@troupe/protocol";
import { workerUrl } from "../worker-url.ts";
import {
  type HelperAnswer,
  type HelperQuestion,
  type HelperSaying,
  LIFELINE_FD,
  MEMORY_SIGNAL,
} from "./helper-messages.ts";

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
  readonly #child: ChildProcess;
  readonly #ready: Promise<void>;
  #asked: Asked | undefined;
  #lost: HelperLost | undefined;

  constructor(env: HelperEnv) {
    this.#env = env;
    this.#child = spawn(process.execPath, processArguments(), {
      env: {},
      cwd: "/",
      stdio: ["ignore", "ignore", "ignore", "pipe", "ipc"],
      serialization: "advanced",
    });
    const ready = Promise.withResolvers<void>();
    this.#ready = ready.promise;
    // Nobody may be asking.
    this.#ready.catch(() => {});
    this.#child.on("message", (saying: HelperSaying) => {
      if (saying.kind === "ready") ready.resolve();
      else this.#answered(saying);
    });
    this.exited = new Promise((resolve) => {
      const over = (lost: HelperLost): void => {
        this.#lose(lost);
        ready.reject(lost);
        resolve();
      };
      this.#child.once("exit", (code, signal) => over(lossOf(code, signal)));
      this.#child.once("error", (cause) => over(new HelperLost("ended", String(cause))));
    });
    this.#letGo();
  }

  /** True when nobody answers any more. */
  get ended(): boolean {
    return this.#lost !== undefined;
  }

  /** The answer. Not while another question has none. Rejects with `HelperLost`: at once when the time is over. */
  async ask(question: HelperQuestion, timeoutMs: number): Promise<HelperAnswer> {
    this.#child.ref();
    this.#child.channel?.ref();
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
    this.#child.kill("SIGKILL");
  }

  async #started(): Promise<void> {
    const { timers } = this.#env;
    const timer = timers.set(() => this.#late(limits.sqlHelperAnswerMs), limits.sqlHelperAnswerMs);
    try {
      await this.#ready;
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
      // What can't be sent is told by the process's end.
      this.#child.send(question, () => {});
    });
  }

  #answered(answer: HelperAnswer): void {
    const asked = this.#take();
    asked?.resolve(answer);
  }

  #late(timeoutMs: number): void {
    this.#lose(new HelperLost("time", `no answer in ${timeoutMs} ms`));
    this.#child.kill("SIGKILL");
  }

  #lose(lost: HelperLost): void {
    this.#lost ??= lost;
    // Its end is near, and somebody may wait for it.
    this.#child.ref();
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
    if (this.#lost !== undefined) return;
    this.#child.unref();
    this.#child.channel?.unref();
    const lifeline = this.#child.stdio[LIFELINE_FD];
    if (lifeline instanceof Socket) lifeline.unref();
  }
}

function lossOf(code: number | null, signal: NodeJS.Signals | null): HelperLost {
  if (signal === MEMORY_SIGNAL) return new HelperLost("memory", `more than ${limits.sqlHelperMemoryMb} MiB`);
  return new HelperLost("ended", `exit ${signal ?? code}`);
}

function processArguments(): string[] {
  const main = fileURLToPath(workerUrl("helper-main", import.meta.url));
  return main.endsWith(".ts") ? ["--conditions=troupe-source", main] : [main];
}
