/**
 * Counters of what a run has exercised. A simulator that never reaches a situation proves nothing about it, so a
 * campaign fails when one of `required` stays at zero.
 */

const required = [
  "crash after a turn",
  "crash before a write",
  "crash between write and sync",
  "crash during a sync",
  "crash between sync and its callback",
  "crash in the middle of the outputs",
  "crash during a start hook",
  "power cut lost written transactions",
  "power cut kept a part of them",
  "kill kept unsynced transactions",
  "a sync failed",
  "a slow sync",
  "ENOSPC for a lone batch",
  "ENOSPC for one of a group",
  "a group of several actors",
  "sleep while an action pends",
  "a call held for the next activation",
  "reconnect with a queued action",
  "reconnect with a gap",
  "a half-open link",
  "a link broke",
  "HTTP request lost",
  "HTTP answer lost",
  "outcome unknown, applied",
  "outcome unknown, not applied",
  "commit failed, not applied",
  "a batch that can't be encoded",
  "overdue alarm at start",
  "a schedule fired",
  "a schedule fired twice",
  "a schedule was cancelled",
  "a schedule was tried again",
  "a job ran",
  "a job ran late",
  "an alarm woke a sleeping actor",
  "an actor was destroyed",
  "an actor was made again",
  "a transfer arrived",
  "an event arrived",
  "a retained event arrived late",
  "a gap of a retained event",
  "a restart in good order",
  "clock back",
  "clock forward",
  "an action left unfinished by a crash",
  "a carrier was lost",
  "a host's link broke",
  "a host's link stalled",
  "a host died",
  "a host's session was resumed",
  "a plugin crashed",
  "a plugin answered twice",
  "a plugin was late",
  "a plugin never answered",
  "a plugin said what can't be",
  "a plugin didn't start",
  "a plugin hung at its end",
  "a plugin was started again",
  "a plugin was given up",
  "a note was taken",
  "a job was done",
  "a job was done again",
  "a sender got its reply",
  "a key was answered twice",
  "a call that was cut off wasn't run again",
  "a request with a key was sent again",
  "a connection outlived a sleep",
  "a raw socket outlived a sleep",
  "a connection outlived a sleep behind actor/v1",
  "a raw socket outlived a sleep behind actor/v1",
  "a message came again",
  "a step ran",
  "a workflow took a message",
  "a workflow ended",
  "a transaction was released",
  "a transaction was undone",
  "a transaction's time was over",
  "a vault was looked through",
  "an event of a session arrived",
  "a session was followed over a reconnection",
  "a session was read from its beginning",
  "ENOSPC for an actor's own file",
  "an actor's own file was away",
  "an actor whose file was away was asked for",
  "a helper was lost before it did what it was asked",
  "a helper was lost behind what it was asked",
  "a helper answered late",
] as const;

/** What is counted. */
export type CounterName = (typeof required)[number];

/** How often each situation came up. */
export class Counters {
  readonly #counts = new Map<CounterName, number>();

  add(name: CounterName, count = 1): void {
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + count);
  }

  get(name: CounterName): number {
    return this.#counts.get(name) ?? 0;
  }

  /** Adds another run's counts. */
  merge(other: Counters): void {
    for (const [name, count] of other.#counts) this.add(name, count);
  }

  /** What never happened. */
  missing(): CounterName[] {
    return required.filter((name) => this.get(name) === 0);
  }

  /** One line for each, in the order of the list. */
  lines(): string[] {
    return required.map((name) => `${String(this.get(name)).padStart(9)}  ${name}`);
  }
}
