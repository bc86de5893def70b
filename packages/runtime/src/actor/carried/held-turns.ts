/**
 * HeldTurns: turns of carried code that go on behind SQL.
 *
 * Where the database is at hand, a statement that is awaited doesn't end its turn. Here it is a question, and the turn goes on
 * when the code has its answer. So from the question on no batch is taken, until the code says that the turn is over: what it
 * wrote before the statement, with it, and behind it is one batch, as it is elsewhere.
 *
 *   asked ──▶ running ──answered──▶ the code's turn goes on ──its next Write──▶ over
 *               └── the code is lost, here or later ──▶ half a turn: nothing of the batch may be stored
 *
 * Turns of many calls overlap, and a batch could be held for ever. So one that has something to store, and was held for
 * `sqlTurnJoinMs`, takes no more turns: whose first statement comes then waits for the next batch. A turn that has begun is
 * let on, before those that wait. Code that never says that its turn is over keeps its own actor waiting, until it is stopped.
 */
import type { Env, TroupeError } from "@troupe/base";
import { limits } from "@troupe/protocol";
import { SqlTurn, type Write } from "@troupe/protocol/actor/v1";
import type { OutputGate } from "../../gate/output-gate.ts";
import type { ActorStore } from "../../ports/storage.ts";
import { remoteSqlErrors } from "../../sql/remote-errors.ts";

/** What turns need of their activation. */
export interface HeldTurnsOwner {
  readonly env: Pick<Env, "afterTurn" | "clock">;
  readonly gate: Pick<OutputGate, "wrote" | "break">;
  readonly request: { readonly store: Pick<ActorStore, "hold"> };
}

/** Those of one activation. */
export class HeldTurns {
  readonly #owner: HeldTurnsOwner;
  /** Questions without an answer. */
  #running = 0;
  /** Answers whose turns aren't over. */
  #answered = 0;
  #letGo: (() => void) | undefined;
  /** Since when the batch is held with something to store. */
  #since = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(owner: HeldTurnsOwner) {
    this.#owner = owner;
  }

  /** Settles when a question of such a turn may run; at once, if it may now. Throws `sqlite.busy`. */
  admit(turn: SqlTurn): Promise<void> | undefined {
    if (turn !== SqlTurn.HELD || !this.#isFull()) return undefined;
    if (this.#waiting.length >= limits.sqlWaiting) throw remoteSqlErrors.busy(limits.sqlWaiting);
    return new Promise((resolve) => void this.#waiting.push(resolve));
  }

  /** Runs what a question is about; the turn goes on with what it gives. */
  async run<T>(turn: SqlTurn, use: () => Promise<T>): Promise<T> {
    let running = false;
    try {
      const admitted = this.admit(turn);
      if (admitted !== undefined) await admitted;
      running = true;
      this.#running += 1;
      if (this.#letGo === undefined) this.#hold();
      return await use();
    } finally {
      // One that was refused is answered as well: the code counts all of its answers.
      if (running) this.#running -= 1;
      this.#answered += 1;
    }
  }

  /** Hears of a Write which turns are over. False when it has something to store besides. */
  over({ turns, rows, alarmChanged }: Pick<Write, "turns" | "rows" | "alarmChanged">): boolean {
    if (turns === undefined) return false;
    this.#answered = Math.max(0, this.#answered - turns);
    if (this.#running === 0 && this.#answered === 0) this.#end();
    return rows.length === 0 && !alarmChanged;
  }

  /** The code is gone. Of a turn that is open nothing is stored, as of all in its batch, and whoever waits for it is told. */
  cutOff(error: TroupeError): void {
    if (this.#letGo !== undefined) this.#owner.gate.break(error);
    this.#end();
  }

  #end(): void {
    this.#answered = 0;
    const letGo = this.#letGo;
    this.#letGo = undefined;
    letGo?.();
    // Behind the taking of the batch, which this has asked for.
    if (this.#waiting.length > 0) this.#owner.env.afterTurn(() => this.#next());
  }

  #next(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  #hold(): void {
    this.#letGo = this.#owner.request.store.hold?.() ?? (() => {});
    this.#since = this.#owner.env.clock.monotonic();
  }

  #isFull(): boolean {
    if (this.#waiting.length > 0) return true;
    if (this.#letGo === undefined) return false;
    const now = this.#owner.env.clock.monotonic();
    if (!this.#owner.gate.wrote) this.#since = now;
    return now - this.#since >= limits.sqlTurnJoinMs;
  }
}
