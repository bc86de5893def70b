import type { SocketEvents, SocketListener } from "@troupe/client";

type Name = keyof SocketEvents;
/** The listener's type goes with the name of its list. */
type AnyListener = (event: never) => unknown;

interface Entry {
  listener: AnyListener;
  readonly once: boolean;
  /** Set by `onmessage = …` and its like, which replace each other. */
  readonly isProperty: boolean;
}

/** Told how the listeners of an event ended. */
export interface ListenerOutcome {
  readonly failed: (cause: unknown) => void;
  /** One that goes on: it may still fail. */
  readonly pending: (promise: PromiseLike<unknown>) => void;
}

/** Who listens to one socket. The platform's own EventTarget would end the process when a listener throws. */
export class SocketListeners {
  readonly #lists: Partial<Record<Name, Entry[]>> = {};

  has(name: Name): boolean {
    return (this.#lists[name]?.length ?? 0) > 0;
  }

  add<N extends Name>(name: N, listener: SocketListener<N>, once: boolean): void {
    const list = this.#list(name);
    if (list.some((entry) => entry.listener === listener && !entry.isProperty)) return;
    list.push({ listener, once, isProperty: false });
  }

  remove<N extends Name>(name: N, listener: SocketListener<N>): void {
    this.#drop(name, (entry) => entry.listener === listener && !entry.isProperty);
  }

  /** `onmessage` and its like. */
  property<N extends Name>(name: N): SocketListener<N> | null {
    const entry = this.#lists[name]?.find(({ isProperty }) => isProperty);
    return (entry?.listener as SocketListener<N> | undefined) ?? null;
  }

  /** Keeps its place among the others, as the standard has it. */
  setProperty<N extends Name>(name: N, listener: SocketListener<N> | null): void {
    const entry = this.#lists[name]?.find(({ isProperty }) => isProperty);
    if (typeof listener !== "function") this.#drop(name, ({ isProperty }) => isProperty);
    else if (entry !== undefined) entry.listener = listener;
    else this.#list(name).push({ listener, once: false, isProperty: true });
  }

  /** Calls them in order. Never throws. */
  tell<N extends Name>(name: N, event: SocketEvents[N], outcome: ListenerOutcome): void {
    for (const entry of [...(this.#lists[name] ?? [])]) {
      if (this.#lists[name]?.includes(entry) !== true) continue;
      if (entry.once) this.#drop(name, (other) => other === entry);
      try {
        const result = (entry.listener as SocketListener<N>)(event);
        if (isThenable(result)) outcome.pending(result);
      } catch (cause) {
        outcome.failed(cause);
      }
    }
  }

  #list(name: Name): Entry[] {
    const list = this.#lists[name] ?? [];
    this.#lists[name] = list;
    return list;
  }

  #drop(name: Name, drops: (entry: Entry) => boolean): void {
    this.#lists[name] = this.#lists[name]?.filter((entry) => !drops(entry)) ?? [];
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && "then" in value && typeof value.then === "function";
}
