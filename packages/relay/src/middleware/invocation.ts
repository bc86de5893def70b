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

/** Why one ended: the error is made when somebody gets to see it, for most endings are nobody's. */
class Ending {
  readonly #make: () => Error;
  #error: Error | undefined;

  constructor(make: () => Error) {
    this.#make = make;
  }

  get error(): Error {
    this.#error ??= this.#make();
    return this.#error;
  }
}

/** One call that may be given up. */
export class Invocation {
  readonly #parent: Invocation | undefined;
  #children: Set<Invocation> | undefined = undefined;
  #controller: AbortController | undefined = undefined;
  #over: Ending | undefined = undefined;
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
    if (this.#over !== undefined) this.#controller.abort(this.#over.error);
    return this.#controller.signal;
  }

  /** True when it was given up, or has answered and was closed. */
  get settled(): boolean {
    return this.#over !== undefined;
  }

  /** True for the error that it was given up with. */
  isOver(error: unknown): boolean {
    return this.#over !== undefined && this.#over.error === error;
  }

  /** Gives it up, and all below it. */
  cancel(error: Error): void {
    this.#cancel(new Ending(() => error));
  }

  /** It goes on while nobody waits for it, until it is closed. `givenUp`: told when it is given up, at once if it is. */
  hold(givenUp: (error: Error) => void): void {
    const over = this.#over ?? (this.#parent === undefined ? undefined : this.#parent.#over);
    if (over !== undefined) {
      this.#over = over;
      givenUp(over.error);
      return;
    }
    this.#givenUp = givenUp;
    if (this.#parent !== undefined) this.#parent.#below().add(this);
  }

  /** Its code has ended: its own signal doesn't fire, and what is below it is given up. */
  close(error: () => Error): void {
    if (this.#over !== undefined) return;
    this.#over = new Ending(error);
    this.#givenUp = undefined;
    if (this.#parent !== undefined) this.#parent.#children?.delete(this);
    for (const child of this.#children ?? []) child.#cancel(this.#over);
  }

  /** Runs `fn` once and gives its answer, at once where it does, unless it is given up before. Throws what `fn` throws. */
  run<T>(fn: () => T | PromiseLike<T>, deadline?: Deadline): T | Promise<T> {
    if (this.#over !== undefined) throw this.#over.error;
    const answer = fn();
    return isThenable(answer) ? this.#race(answer, deadline) : answer;
  }

  #race<T>(answer: PromiseLike<T>, deadline: Deadline | undefined): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const siblings = this.#parent === undefined ? undefined : this.#parent.#below();
    const timer = deadline?.timers.set(() => this.cancel(deadline.error()), deadline.ms);
    const settled = (): void => {
      if (timer !== undefined) deadline?.timers.clear(timer);
      if (this.#givenUp === undefined) siblings?.delete(this);
    };
    const refused = (error: unknown): void => {
      settled();
      reject(error);
    };
    this.#refuse = refused;
    siblings?.add(this);
    answer.then((value) => {
      settled();
      resolve(value);
    }, refused);
    // Given up while `fn` began, before it was known that there is something to wait for.
    const over = this.#over ?? (this.#parent === undefined ? undefined : this.#parent.#over);
    if (over !== undefined && this.#over === undefined) this.#cancel(over);
    else if (over !== undefined) refused(over.error);
    return promise;
  }

  #cancel(ending: Ending): void {
    if (this.#over !== undefined) return;
    this.#over = ending;
    this.#refuse?.(ending.error);
    if (this.#parent !== undefined) this.#parent.#children?.delete(this);
    this.#givenUp?.(ending.error);
    for (const child of this.#children ?? []) child.#cancel(ending);
    this.#controller?.abort(ending.error);
  }

  #below(): Set<Invocation> {
    this.#children ??= new Set();
    return this.#children;
  }
}

/** True for what has to be waited for. */
export function isThenable<T>(value: T | PromiseLike<T>): value is PromiseLike<T> {
  return typeof value === "object" && value !== null && "then" in value && typeof value.then === "function";
}
