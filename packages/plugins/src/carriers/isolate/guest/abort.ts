/**
 * AbortController for a place that has only the language.
 */

type Listener = (event: { readonly type: "abort"; readonly target: Signal }) => unknown;

/** As the platform's AbortSignal, with the one event that it has. */
export class Signal {
  aborted = false;
  reason: unknown;
  onabort: Listener | null = null;
  readonly #listeners = new Map<Listener, boolean>();

  /** One that has fired. */
  static abort(reason?: unknown): Signal {
    const signal = new Signal();
    fire(signal, reason);
    return signal;
  }

  /** Fires when the first of `signals` does. */
  static any(signals: Iterable<Signal>): Signal {
    const joined = new Signal();
    for (const signal of signals) {
      if (signal.aborted) fire(joined, signal.reason);
      else signal.addEventListener("abort", () => fire(joined, signal.reason), { once: true });
    }
    return joined;
  }

  static timeout(delayMs: number): Signal {
    const signal = new Signal();
    setTimeout(() => fire(signal, named("TimeoutError", "The time is over")), delayMs);
    return signal;
  }

  addEventListener(type: string, listener: Listener, options?: { readonly once?: boolean }): void {
    if (type === "abort" && !this.#listeners.has(listener))
      this.#listeners.set(listener, options?.once === true);
  }

  removeEventListener(type: string, listener: Listener): void {
    if (type === "abort") this.#listeners.delete(listener);
  }

  throwIfAborted(): void {
    if (this.aborted) throw this.reason;
  }

  /** Once; for the controller. */
  fired(reason: unknown): void {
    if (this.aborted) return;
    this.aborted = true;
    this.reason = reason === undefined ? named("AbortError", "This was aborted") : reason;
    const event = { type: "abort", target: this } as const;
    this.onabort?.(event);
    const listeners = [...this.#listeners.keys()];
    this.#listeners.clear();
    for (const listener of listeners) listener(event);
  }
}

/** As the platform's AbortController. */
export class Controller {
  readonly signal = new Signal();

  abort(reason?: unknown): void {
    fire(this.signal, reason);
  }
}

function fire(signal: Signal, reason: unknown): void {
  signal.fired(reason);
}

function named(name: string, message: string): Error {
  return Object.assign(new Error(message), { name });
}
