/**
 * Receiver: what one handler takes from its actor's queues, and what becomes of it.
 *
 * A handler is a run of the user's code with an end: `run`, an action, one loop over `iter`. What it took plainly is
 * handled when it asks for the next, or ends: then the row goes, in the batch of that very turn. What it took to complete
 * is handled when it says so; until then it gets nothing more.
 */
import type { Env } from "@troupe/base";
import { queueErrors } from "./errors.ts";
import type { QueueMessage } from "./message.ts";
import type { Queues } from "./queues.ts";

/** Told what a handler does with its messages: whether it works on some, or waits for some. */
export interface Occupation {
  /** It wants messages of these queues, of all without names. */
  asks(names: ReadonlySet<string> | undefined): void;
  /** It waits from now on. */
  waits(): void;
  /** The wait is over. */
  resumes(): void;
  /** It works on messages that it took, until it asks for more. */
  works(): void;
  rests(): void;
}

/** What a handler wants. */
export interface Wanted {
  readonly names: ReadonlySet<string> | undefined;
  readonly count: number;
  /** 0: what is there now; `Infinity`: for as long as it takes. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  readonly completable: boolean;
}

/** How a handler has ended. */
export interface HandlerEnd {
  /** It threw. */
  readonly failed: boolean;
  /** The activation is about to end: what was cut short is left for the next one. */
  readonly stopping: boolean;
}

/** What one handler has taken. */
export class Receiver {
  readonly #queues: Queues;
  readonly #env: Pick<Env, "clock" | "timers">;
  readonly #occupation: Occupation | undefined;
  #works = false;
  #held: QueueMessage[] = [];
  /** To be completed. */
  #open: QueueMessage[] = [];

  constructor(queues: Queues, env: Pick<Env, "clock" | "timers">, occupation?: Occupation) {
    this.#queues = queues;
    this.#env = env;
    this.#occupation = occupation;
  }

  /** What it works on, of several the last. */
  get latest(): QueueMessage | undefined {
    return this.#open.at(-1) ?? this.#held.at(-1);
  }

  /**
   * Takes messages: one at least, or none when the time is over. Throws `queue.previous_message_not_completed`,
   * `actor.aborted`.
   */
  async take(wanted: Wanted): Promise<readonly QueueMessage[]> {
    this.#rest();
    this.#settle();
    this.#occupation?.asks(wanted.names);
    // To look for messages is work: who looks must not be taken for one that waits.
    this.#work();
    let taken: readonly QueueMessage[] = [];
    try {
      taken = await this.#find(wanted);
      return taken;
    } finally {
      if (taken.length === 0) this.#rest();
    }
  }

  async #find(wanted: Wanted): Promise<readonly QueueMessage[]> {
    const until = this.#env.clock.monotonic() + wanted.timeoutMs;
    for (;;) {
      if (this.#isOver(wanted)) {
        // It may have been woken for a message that others wait for as well.
        this.#queues.stir();
        throw queueErrors.aborted();
      }
      const found = this.#queues.receive(wanted.names, wanted.count);
      const messages = found instanceof Promise ? await found : found;
      if (messages.length > 0 && this.#isOver(wanted)) {
        this.#queues.restore(messages);
        throw queueErrors.aborted();
      }
      const taken = this.#keep(messages, wanted.completable);
      if (taken.length > 0) return taken;
      if (messages.length > 0) continue;
      const timeoutMs = until - this.#env.clock.monotonic();
      if (timeoutMs <= 0) return [];
      this.#rest();
      if (!(await this.available({ ...wanted, timeoutMs }))) return [];
      this.#work();
    }
  }

  /** Waits until a message may be there; false when the time is over. Throws `actor.aborted`. */
  async available({ names, timeoutMs, signal }: Omit<Wanted, "count" | "completable">): Promise<boolean> {
    this.#occupation?.waits();
    const wait = this.#queues.arrivals.wait(names, () => this.#occupation?.resumes());
    const timer =
      timeoutMs === Infinity
        ? undefined
        : this.#env.timers.set(() => wait.end("timed out"), timeoutMs, { background: true });
    const abort = (): void => wait.end("given up");
    signal?.addEventListener("abort", abort);
    const why = await wait.over;
    signal?.removeEventListener("abort", abort);
    if (timer !== undefined) this.#env.timers.clear(timer);
    if (why === "arrived") return true;
    if (why === "timed out") return false;
    throw queueErrors.aborted();
  }

  /** What was taken plainly is handled. */
  handled(): void {
    const held = this.#held;
    if (held.length === 0) return;
    this.#held = [];
    for (const message of held) this.#queues.finish(message);
  }

  /** The handler has ended. */
  end({ failed, stopping }: HandlerEnd): void {
    if (!(failed && stopping)) this.handled();
    const open = this.#open;
    this.#open = [];
    for (const message of open) {
      if (stopping) this.#queues.interrupt(message);
      else this.#queues.giveBack(message);
    }
    this.#rest();
  }

  #work(): void {
    if (!this.#works) this.#occupation?.works();
    this.#works = true;
  }

  #rest(): void {
    if (this.#works) this.#occupation?.rests();
    this.#works = false;
  }

  #isOver({ signal }: Wanted): boolean {
    return this.#queues.arrivals.ended || signal?.aborted === true;
  }

  #settle(): void {
    this.handled();
    if (this.#open.length === 0) return;
    this.#open = this.#open.filter((message) => this.#queues.isOut(message));
    const [first] = this.#open;
    if (first !== undefined) throw queueErrors.previousNotCompleted(first.id);
  }

  #keep(messages: readonly QueueMessage[], completable: boolean): readonly QueueMessage[] {
    if (!completable) {
      this.#held.push(...messages);
      return messages;
    }
    const begun = messages.filter((message) => this.#queues.begin(message));
    this.#open.push(...begun);
    return begun;
  }
}
