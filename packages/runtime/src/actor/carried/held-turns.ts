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
 * let on, before those that wait, and so is one that has written before its first statement: its Write is in this batch.
 *
 * Whoever waits for the disk waits for such a turn, also to be told that the time of a call is over. So a batch is held for as
 * long as one action may take, and at least for `sqlTurnMs`: behind that nothing of it is stored, and the actor begins anew. A
 * start has a time of its own, and nobody waits yet.
 */
import type { Env, TimerHandle, TroupeError } from "@troupe/base";
import { limits } from "@troupe/protocol";
import { fromCarriedError, type PayloadEncoding, SqlTurn, type Write } from "@troupe/protocol/actor/v1";
import { actorErrors } from "../../errors.ts";
import type { OutputGate } from "../../gate/output-gate.ts";
import type { ActorStore } from "../../ports/storage.ts";
import { remoteSqlErrors } from "../../sql/remote-errors.ts";
import type { ResolvedOptions } from "../options.ts";
import type { CarriedPhase } from "./activation.ts";

/** What turns need of their activation. */
export interface HeldTurnsOwner {
  readonly env: Pick<Env, "afterTurn" | "clock" | "timers">;
  readonly encoding: PayloadEncoding;
  readonly descriptor: { readonly options: Pick<ResolvedOptions, "actionTimeout"> };
  readonly phase: Pick<CarriedPhase, "tag">;
  readonly gate: Pick<OutputGate, "wrote" | "break">;
  readonly request: { readonly store: Pick<ActorStore, "hold"> };
  /** Nothing of the open batch is stored, and the activation ends. */
  break(cause: unknown): void;
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
  /** Looks whether it is held for too long. */
  #timer: TimerHandle | undefined;
  /** The code is gone. */
  #isCutOff = false;
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
      this.#hold();
      return await use();
    } finally {
      // One that was refused is answered as well: the code counts all of its answers.
      if (running) this.#running -= 1;
      this.#answered += 1;
    }
  }

  /** Hears of a Write which turns are over. */
  over({ turns, torn }: Pick<Write, "turns" | "torn">): void {
    if (turns === undefined) return;
    if (torn !== undefined) this.#owner.break(fromCarriedError(torn, this.#owner.encoding));
    this.#answered = Math.max(0, this.#answered - turns);
    if (this.#running === 0 && this.#answered === 0) this.#end();
  }

  /** The code is gone. Of a turn that is open nothing is stored, as of all in its batch, and whoever waits for it is told. */
  cutOff(error: TroupeError): void {
    this.#isCutOff = true;
    if (this.#timer !== undefined) this.#owner.env.timers.clear(this.#timer);
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
    if (this.#letGo !== undefined || this.#isCutOff) return;
    this.#letGo = this.#owner.request.store.hold?.() ?? (() => {});
    this.#since = this.#owner.env.clock.monotonic();
    if (this.#timer === undefined) this.#watch(this.#longestMs);
  }

  #isFull(): boolean {
    if (this.#waiting.length > 0) return true;
    return this.#letGo !== undefined && this.#heldMs() >= limits.sqlTurnJoinMs;
  }

  /** How long somebody may have waited. */
  #heldMs(): number {
    const { env, gate, phase } = this.#owner;
    const now = env.clock.monotonic();
    if (!gate.wrote || phase.tag === "loading") this.#since = now;
    return now - this.#since;
  }

  get #longestMs(): number {
    return Math.max(limits.sqlTurnMs, this.#owner.descriptor.options.actionTimeout);
  }

  /** One timer for all that is held meanwhile. */
  #watch(delayMs: number): void {
    const { timers } = this.#owner.env;
    if (delayMs !== Infinity) this.#timer = timers.set(() => this.#look(), delayMs, { background: true });
  }

  #look(): void {
    this.#timer = undefined;
    if (this.#letGo === undefined) return;
    const longestMs = this.#longestMs;
    const leftMs = longestMs - this.#heldMs();
    if (leftMs > 0) this.#watch(leftMs);
    else this.#owner.break(actorErrors.turnTooLong(longestMs));
  }
}
