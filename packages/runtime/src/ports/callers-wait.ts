/**
 * CallersWait: whether anybody still waits for a call that an actor made, as the called one asks it.
 *
 * Two may give up: the call that made this one, and the signal that was given with it. Both outlive the call, by far where an
 * action makes many or never ends: when the call is over nothing of it stays with them.
 */
import type { Abandoned, RunningCall } from "./running-call.ts";

/** One call's caller. */
export class CallersWait {
  readonly #call: RunningCall | undefined;
  readonly #signal: AbortSignal | undefined;
  #undo: (() => void)[] | undefined;

  constructor(call: RunningCall | undefined, signal: AbortSignal | undefined) {
    this.#call = call;
    this.#signal = signal;
  }

  /** Calls `listener` when the caller gives up: at once, when it has. */
  onAbandoned(listener: Abandoned): void {
    this.#undo ??= [];
    if (this.#call !== undefined) this.#undo.push(this.#call.onAbandoned(listener));
    const signal = this.#signal;
    if (signal === undefined) return;
    if (signal.aborted) return listener(signal.reason);
    const aborted = (): void => listener(signal.reason);
    signal.addEventListener("abort", aborted, { once: true });
    this.#undo.push(() => signal.removeEventListener("abort", aborted));
  }

  /** The call has its end. */
  over(): void {
    for (const undo of this.#undo ?? []) undo();
    this.#undo = undefined;
  }
}
