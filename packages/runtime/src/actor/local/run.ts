/**
 * `run`: the user's code beside an activation. It keeps the actor awake while it does something; while all that it does is
 * to wait for messages, the actor may sleep, for a message wakes it and `run` begins anew. When it returns or throws, the
 * actor goes on without it.
 */
import type { Occupation } from "../../queue/receiver.ts";
import type { Hook } from "../behaviour.ts";
import type { Activation } from "./activation.ts";
import { LocalContext, releaseContext } from "./context.ts";
import type { Work } from "./work.ts";

/**
 * Counts a run as work, but not its waits for messages. One of several loops may wait while another works: then it works.
 */
export class RunWork implements Occupation {
  readonly #work: Work;
  #waiting = 0;
  #working = 0;
  /** What it asked for so far; undefined for all. */
  #names: Set<string> | undefined = new Set();
  #idle = false;
  #over = false;

  constructor(work: Work) {
    this.#work = work;
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
    const idle = this.#waiting > 0 && this.#working === 0;
    if (this.#over || idle === this.#idle) return;
    this.#idle = idle;
    if (idle) this.#work.end("run");
    else this.#work.begin("run");
  }
}

/** Starts `run`; its promise is the activation's until it ends. */
export function beginRun(activation: Activation, run: Hook): void {
  const work = new RunWork(activation.work);
  const c = new LocalContext(activation, work);
  activation.runWork = work;
  let over = false;
  const running = (async () => {
    let failed = true;
    try {
      await activation.enter(() => run(c));
      failed = false;
    } catch (cause) {
      if (!activation.stopping) activation.log.error("run failed", { cause });
    } finally {
      over = true;
      activation.running = undefined;
      releaseContext(c, failed);
      work.end();
    }
  })();
  if (!over) activation.running = running;
}
