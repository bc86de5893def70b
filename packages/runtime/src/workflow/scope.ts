/**
 * Scope: a place in a workflow where its code does one thing after the other: the workflow itself, one round of a loop, a
 * branch, a `try` block. It sees to it that names are used once, that nothing begins while something goes on, and that
 * what the code comes to is what the history says.
 *
 * Nothing that ends a workflow's life from outside is thrown into its code, where a `catch` would take it for a failure of
 * its own: the code just doesn't go on. So it is with the end of the activation, with branches of a race that was won, and
 * with code that doesn't fit its history.
 */
import { TroupeError, wallWaitMs } from "@troupe/base";
import type { Activity } from "./activity.ts";
import type { Entry, EntryKind } from "./entry.ts";
import { workflowErrors } from "./errors.ts";
import type { WorkflowLife } from "./life.ts";
import { inside, readable } from "./location.ts";

/** An entry of one kind. */
export type EntryOf<Kind extends EntryKind> = Extract<Entry, { readonly kind: Kind }>;

/** Where something happens, and what is known of it. */
export interface Place<Kind extends EntryKind> {
  readonly location: string;
  readonly entry: EntryOf<Kind> | undefined;
  /** Stored with the open batch. */
  put(entry: EntryOf<Kind>): void;
  /** Something new begins. Throws `workflow.history_diverged` when the history goes on otherwise. */
  checkNew(): void;
}

const LONGEST_NAME = 256;

/** Why a branch, or a workflow, goes no further: it was given up. */
export const CANCELLED = "cancelled";
/** Why it goes no further in this activation. */
export const EVICTED = "evicted";

/** A place where one thing comes after the other. */
export class Scope {
  readonly life: WorkflowLife;
  readonly location: string;
  readonly activity: Activity;
  /** Aborted: its code goes no further, now or ever. */
  readonly signal: AbortSignal;
  readonly #used = new Set<string>();
  #busy: string | undefined;

  constructor(life: WorkflowLife, location: string, activity: Activity, signal: AbortSignal) {
    this.life = life;
    this.location = location;
    this.activity = activity;
    this.signal = signal;
  }

  /** A scope inside of this one, on the same strand. */
  inner(location: string): Scope {
    return new Scope(this.life, location, this.activity, this.signal);
  }

  /** Does something of a kind at a place of its own. Never settles where the code is to go no further. */
  async at<Kind extends EntryKind, R>(
    name: string,
    kind: Kind,
    work: (place: Place<Kind>) => Promise<R>,
  ): Promise<R> {
    return await this.place(name, (location) => {
      const { history } = this.life;
      const found = history.come(location);
      if (found !== undefined && found.kind !== kind)
        throw workflowErrors.historyDiverged(readable(location), `a ${kind}`, `a ${found.kind}`);
      return work({
        location,
        entry: found as EntryOf<Kind> | undefined,
        put: (entry) => history.put(location, entry),
        checkNew: () => history.checkNew(location, kind),
      });
    });
  }

  /** Uses a name of this scope. */
  async place<R>(name: string, work: (location: string) => Promise<R>): Promise<R> {
    if (this.signal.aborted) return await noMore();
    try {
      const location = this.#take(name);
      try {
        const result = await work(location);
        return this.signal.aborted ? await noMore() : result;
      } finally {
        this.#busy = undefined;
      }
    } catch (cause) {
      if (this.signal.aborted) return await noMore();
      if (!isMisfit(cause)) throw cause;
      this.life.stuck(cause);
      return await noMore();
    }
  }

  /**
   * Runs the code of this place. Throws what it throws; where an earlier life was past that, or past its end,
   * `workflow.history_diverged`.
   */
  async run<R>(code: () => R): Promise<Awaited<R>> {
    let result: Awaited<R>;
    try {
      result = await code();
    } catch (cause) {
      if (!this.signal.aborted && !isMisfit(cause)) this.life.history.checkEnd(this.location, { cause });
      throw cause;
    }
    if (!this.signal.aborted) this.life.history.checkEnd(this.location);
    return result;
  }

  /** Everything that was written is durable. */
  async durable(): Promise<void> {
    const pending = this.life.owner.durable();
    // What can't be stored ends the activation, not the workflow.
    if (pending !== undefined) {
      this.life.pauses += 1;
      await pending.catch(noMore);
    }
    if (this.signal.aborted) await noMore();
  }

  /** Waits for a time (wall clock, ms): the actor may sleep meanwhile, and wakes for it. */
  until(at: number): Promise<void> {
    const { clock, timers } = this.life.owner.env;
    if (at <= clock.now()) return Promise.resolve();
    this.life.pauses += 1;
    const rest = this.activity.rest(at);
    return new Promise((resolve) => {
      const set = () => timers.set(look, wallWaitMs(clock, at), { background: true });
      const look = (): void => {
        if (this.signal.aborted) return;
        if (at > clock.now()) {
          timer = set();
          return;
        }
        this.signal.removeEventListener("abort", stop);
        rest.resume();
        resolve();
      };
      const stop = (): void => timers.clear(timer);
      this.signal.addEventListener("abort", stop, { once: true });
      let timer = set();
    });
  }

  #take(name: string): string {
    if (typeof name !== "string" || name === "" || name.length > LONGEST_NAME || !name.isWellFormed())
      throw workflowErrors.invalidName(readable(this.location));
    const location = inside(this.location, name);
    if (this.#busy !== undefined)
      throw workflowErrors.entryInProgress(readable(location), readable(this.#busy));
    if (this.#used.has(name)) throw workflowErrors.duplicateName(readable(location));
    this.#used.add(name);
    this.#busy = location;
    return location;
  }
}

/** Of code that doesn't fit its history, or its own rules. */
const misfits: ReadonlySet<string> = new Set([
  "history_diverged",
  "entry_in_progress",
  "duplicate_name",
  "invalid_name",
  "invalid_option",
  "rollback_checkpoint_missing",
]);

/** True for what ends no workflow, since another program may go on with it. */
export function isMisfit(cause: unknown): cause is TroupeError {
  return TroupeError.is(cause) && cause.group === "workflow" && misfits.has(cause.code);
}

/** Each has a promise of its own, so that it can be forgotten with whoever waits for it. */
export function noMore(): Promise<never> {
  return new Promise(() => {});
}
