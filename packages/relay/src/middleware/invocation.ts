/**
 * Invocation: one call of one middleware, or of the tool itself, that may be given up.
 *
 * Invocations make a tree: what a middleware calls through `next` is below it, and all of a call is below one root.
 * Giving one up tells everything below it: signals fire, and whoever waits for an answer gets the error instead. What
 * is answered later is nobody's. It is given up when the caller's signal fires, when its deadline is over, and when the
 * middleware above it has answered already.
 *
 * What answers at once costs no timer, no AbortController and no race.
 */
import type { Timers } from "@troupe/base";

/** How long an answer is waited for, and the error when it isn't there. */
export interface Deadline {
  readonly timers: Timers;
  readonly ms: number;
  readonly error: () => Error;
}

/** One call that may be given up. */
export class Invocation {
  readonly #parent: Invocation | undefined;
  #children: Set<Invocation> | undefined = undefined;
  #controller: AbortController | undefined = undefined;
  #over: Error | undefined = undefined;
  /** There while it is held. */
  #givenUp: ((error: Error) => void) | undefined = undefined;
  #refuse: ((error: Error) => void) | undefined = undefined;

  constructor(parent?: Invocation) {
    this.#parent = parent;
    this.#over = parent === undefined ? undefined : parent.#over;
  }

  /** Made when it is asked for. */
  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#over !== undefined) this.#controller.abort(this.#over);
    return this.#controller.signal;
  }

  /** True when it was given up, or has answered and was closed. */
  get settled(): boolean {
    return this.#over !== undefined;
  }

  /** True for the error that it was given up with. */
  isOver(error: unknown): boolean {
    return this.#over !== undefined && this.#over === error;
  }

  /** Gives it up, and all below it. */
  cancel(error: Error): void {
    if (this.#over !== undefined) return;
    this.#over = error;
    this.#refuse?.(error);
    if (this.#parent !== undefined) this.#parent.#children?.delete(this);
    this.#givenUp?.(error);
    for (const child of this.#children ?? []) child.cancel(error);
    this.#controller?.abort(error);
  }

  /** It goes on while nobody waits for it, until it is closed. `givenUp`: told when it is given up. */
  hold(givenUp: (error: Error) => void): void {
    this.#givenUp = givenUp;
    if (this.#parent !== undefined) this.#parent.#below().add(this);
  }

  /** Ends what was held. What is below is given up; its own signal doesn't fire, for its code has ended. */
  close(error: Error): void {
    if (this.#over !== undefined) return;
    this.#over = error;
    this.#givenUp = undefined;
    if (this.#parent !== undefined) this.#parent.#children?.delete(this);
    for (const child of this.#children ?? []) child.cancel(error);
  }

  /** Runs `fn` once and gives its answer, unless it is given up before. */
  async run<T>(fn: () => T | PromiseLike<T>, deadline?: Deadline): Promise<T> {
    if (this.#over !== undefined) throw this.#over;
    const answer = fn();
    return isThenable(answer) ? await this.#race(answer, deadline) : answer;
  }

  async #race<T>(answer: PromiseLike<T>, deadline: Deadline | undefined): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    this.#refuse = reject;
    const siblings = this.#parent === undefined ? undefined : this.#parent.#below();
    siblings?.add(this);
    answer.then(resolve, reject);
    const timer = deadline?.timers.set(() => this.cancel(deadline.error()), deadline.ms);
    try {
      // Given up while `fn` began, before it was known that there is something to wait for.
      const over = this.#over ?? (this.#parent === undefined ? undefined : this.#parent.#over);
      if (over === undefined) return await promise;
      promise.catch(() => {});
      this.cancel(over);
      throw over;
    } finally {
      if (timer !== undefined) deadline?.timers.clear(timer);
      if (this.#givenUp === undefined) siblings?.delete(this);
    }
  }

  #below(): Set<Invocation> {
    this.#children ??= new Set();
    return this.#children;
  }
}

function isThenable<T>(value: T | PromiseLike<T>): value is PromiseLike<T> {
  return typeof value === "object" && value !== null && "then" in value && typeof value.then === "function";
}
