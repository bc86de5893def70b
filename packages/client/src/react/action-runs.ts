/**
 * ActionRuns: the calls of one action by one component, and what is shown of them.
 *
 * Calls may overlap. What is shown is the newest one's: an answer that comes late for an older call settles its promise
 * and changes nothing on the page.
 */
import type { ActionCall } from "../types.ts";

/** What is shown of an action. */
export interface ActionState<Data> {
  /** The newest call is under way. */
  readonly pending: boolean;
  /** The answer of the newest call that had one. */
  readonly data: Data | undefined;
  /** Why the newest call failed; null while it is under way, and when it was aborted. */
  readonly error: Error | null;
}

/** How a call is made. */
export type RunAction = (call: Pick<ActionCall, "args" | "signal">) => Promise<unknown>;

/** Before the first call, and on the server. */
export const NO_RUN: ActionState<never> = { pending: false, data: undefined, error: null };

/** A store for `useSyncExternalStore`. */
export class ActionRuns<Data> {
  readonly #call: RunAction;
  readonly #listeners = new Set<() => void>();
  readonly #underWay = new Set<AbortController>();
  #state: ActionState<Data> = NO_RUN;
  #newest: AbortController | undefined;

  constructor(call: RunAction) {
    this.#call = call;
  }

  /** The same object until something changes. */
  readonly state = (): ActionState<Data> => this.#state;

  /** Calls `changed` with each change, until the function that it returns is called. */
  readonly subscribe = (changed: () => void): (() => void) => {
    this.#listeners.add(changed);
    return () => this.#listeners.delete(changed);
  };

  /** Starts a call. A rejection that nobody awaits is on the page as `error`, and no unhandled one. */
  readonly start = (...args: readonly unknown[]): Promise<Data> => {
    const abort = new AbortController();
    this.#underWay.add(abort);
    this.#newest = abort;
    this.#change({ ...this.#state, pending: true, error: null });
    const answer = this.#run(abort, args);
    answer.catch(() => {});
    return answer;
  };

  /** Ends the wait of every call under way: their promises reject with `client.aborted`. */
  readonly abort = (): void => {
    for (const abort of [...this.#underWay]) abort.abort();
  };

  async #run(abort: AbortController, args: readonly unknown[]): Promise<Data> {
    try {
      const data = (await this.#call({ args, signal: abort.signal })) as Data;
      this.#settled(abort, { pending: false, data, error: null });
      return data;
    } catch (error) {
      const shown = abort.signal.aborted ? null : error instanceof Error ? error : new Error(String(error));
      this.#settled(abort, { ...this.#state, pending: false, error: shown });
      throw error;
    } finally {
      this.#underWay.delete(abort);
    }
  }

  #settled(abort: AbortController, state: ActionState<Data>): void {
    if (this.#newest === abort) this.#change(state);
  }

  #change(state: ActionState<Data>): void {
    this.#state = state;
    for (const changed of [...this.#listeners]) changed();
  }
}
