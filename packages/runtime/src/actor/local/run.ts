/**
 * `run`: the user's code beside an activation. It keeps the actor awake while it does something; while all that it does is
 * to wait for messages, the actor may sleep, for a message wakes it and `run` begins anew. When it returns or throws, the
 * actor goes on without it.
 */
import { type Env, TroupeError } from "@troupe/base";
import type { Occupation } from "../../queue/receiver.ts";
import type { Hook } from "../behaviour.ts";
import type { Activation } from "./activation.ts";
import { LocalContext, releaseContext } from "./context.ts";
import { asRun } from "./hook-scope.ts";
import type { Work } from "./work.ts";

/**
 * Counts a run as work, but not its waits for messages. One of several loops may wait while another works: then it works.
 * That all of them wait is said when the turn has ended: between two loops that begin one after the other, or a message
 * and whoever takes it, an actor for whose place others wait would be put to sleep each time before it has done anything.
 */
export class RunWork implements Occupation {
  readonly #work: Work;
  readonly #env: Pick<Env, "afterTurn">;
  #waiting = 0;
  #working = 0;
  /** What it asked for so far; undefined for all. */
  #names: Set<string> | undefined = new Set();
  #idle = false;
  #looks = false;
  #over = false;

  constructor(work: Work, env: Pick<Env, "afterTurn">) {
    this.#work = work;
    this.#env = env;
    work.begin("run");
  }

  /** True when it has ever asked for messages of a queue. */
  wants(name: string): boolean {
    return this.#names?.has(name) ?? true;
  }

  asks(names: ReadonlySet<string> | undefined): void {
    if (names === undefined) this.#names = undefined;
    for (const name of names ?? []) this.#names?.add(name);
  }

  waits(): void {
    this.#waiting += 1;
    this.#look();
  }

  resumes(): void {
    this.#waiting -= 1;
    this.#look();
  }

  works(): void {
    this.#working += 1;
    this.#look();
  }

  rests(): void {
    this.#working -= 1;
    this.#look();
  }

  /** It has returned or thrown; a wait that it has left behind is nobody's. */
  end(): void {
    this.#over = true;
    if (!this.#idle) this.#work.end("run");
  }

  #look(): void {
    if (this.#over || this.#waits === this.#idle) return;
    if (this.#idle) {
      this.#idle = false;
      this.#work.begin("run");
    } else if (!this.#looks) {
      this.#looks = true;
      this.#env.afterTurn(() => this.#turnEnded());
    }
  }

  #turnEnded(): void {
    this.#looks = false;
    if (this.#over || !this.#waits) return;
    this.#idle = true;
    this.#work.end("run");
  }

  get #waits(): boolean {
    return this.#waiting > 0 && this.#working === 0;
  }
}

function endsWait(cause: unknown): boolean {
  return TroupeError.is(cause) && cause.code === "aborted";
}

/** Starts `run`; its promise is the activation's until it ends. */
export function beginRun(activation: Activation, run: Hook): void {
  const work = new RunWork(activation.work, activation.env);
  const c = new LocalContext(activation, work);
  activation.runWork = work;
  let over = false;
  const running = (async () => {
    let failed = true;
    try {
      const { workflow } = activation.behaviour;
      // Cut off from its disk it may be over, and not know it.
      const present = activation.store.present?.();
      if (present !== undefined) await present;
      if (activation.stopping) return;
      const code = () => (workflow === undefined ? run(c) : workflow.engine.run(activation, work));
      await activation.enter(() => asRun(activation, code));
      failed = false;
    } catch (cause) {
      // With the end for good its waits end before the stop begins.
      const ended = activation.stopping || (activation.doomed && endsWait(cause));
      if (!ended) activation.log.error("run failed", { cause });
    } finally {
      over = true;
      activation.running = undefined;
      releaseContext(c, failed);
      work.end();
    }
  })();
  if (!over) activation.running = running;
}
