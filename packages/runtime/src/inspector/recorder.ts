/**
 * ActorRecorder: what was seen of one actor while the inspector is on.
 *
 * It sits where calls come in and batches go out, at the ports, so that every kind of actor is seen alike and none knows
 * of it. What an action was given and what it returned is never kept: only that it ran, how long it took, and how it
 * ended.
 */
import { limits } from "@troupe/protocol";
import type { ActorRecord } from "../ports/directory.ts";
import type { RowChange } from "../ports/storage.ts";

/** One call that has ended. Times are milliseconds. */
export interface CallRecord {
  /** `send`: a message for a queue, whose name is in `action`. */
  readonly kind: "action" | "send";
  readonly action: string;
  /** Wall clock. */
  readonly at: number;
  /** The caller's connection; absent for a call without one. */
  readonly connection?: string;
  /** From the call's coming to the moment when the actor's code began with it. */
  readonly queueMs: number;
  /** What the code took. */
  readonly runMs: number;
  /** What the answer waited at the gate. */
  readonly gateMs: number;
  /** What the batch that let the answer go took to be durable; 0 when it waited for none. */
  readonly storageMs: number;
  /** `ok`, or `group.code`. */
  readonly outcome: string;
}

/** The last call that failed. Its text is in the log alone. */
export interface LastError {
  /** Wall clock. */
  readonly at: number;
  /** The action or queue. */
  readonly action: string;
  /** `group.code`. */
  readonly code: string;
}

/** Somebody who is told at once. */
export interface Watcher {
  called(call: CallRecord): void;
  /** Rows of a batch that is durable. */
  stored(rows: readonly RowChange[]): void;
  phase(phase: string): void;
}

/** What was seen of one actor. */
export class ActorRecorder {
  readonly watchers = new Set<Watcher>();
  /** What the batch that became durable last took, from its taking. */
  storageMs = 0;
  /** When the activation that is awake was there: wall clock. */
  awakeSince: number | undefined;
  lastError: LastError | undefined;
  readonly #calls: CallRecord[] = [];
  #oldest = 0;

  /** The calls that are kept, the newest first. */
  get calls(): readonly CallRecord[] {
    return [...this.#calls.slice(this.#oldest), ...this.#calls.slice(0, this.#oldest)].reverse();
  }

  called(call: CallRecord): void {
    const { at, action, outcome } = call;
    if (outcome !== "ok") this.lastError = { at, action, code: outcome };
    if (this.#calls.length < limits.inspectorCalls) this.#calls.push(call);
    else {
      this.#calls[this.#oldest] = call;
      this.#oldest = (this.#oldest + 1) % limits.inspectorCalls;
    }
    for (const watcher of this.watchers) watcher.called(call);
  }

  stored(rows: readonly RowChange[], storageMs: number): void {
    this.storageMs = storageMs;
    for (const watcher of this.watchers) watcher.stored(rows);
  }

  phase(phase: string): void {
    for (const watcher of this.watchers) watcher.phase(phase);
  }
}

/** The recorders of one process: those of the actors that were awake last, and of all that are watched. */
export class Recorders {
  readonly #byId = new Map<string, ActorRecorder>();

  /** The recorder of an actor that wakes, or that somebody watches. */
  of({ id }: Pick<ActorRecord, "id">): ActorRecorder {
    const recorder = this.#byId.get(id) ?? new ActorRecorder();
    this.#byId.delete(id);
    this.#byId.set(id, recorder);
    if (this.#byId.size > limits.inspectorActors) this.#forgetOldest();
    return recorder;
  }

  /** What is kept of an actor, if anything is. */
  get(id: string): ActorRecorder | undefined {
    return this.#byId.get(id);
  }

  #forgetOldest(): void {
    for (const [id, recorder] of this.#byId) {
      if (recorder.watchers.size > 0) continue;
      this.#byId.delete(id);
      return;
    }
  }
}
