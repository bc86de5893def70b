/**
 * Presence: whether a remote host's engine is known to be there.
 *
 *   there ──link lost, or nothing heard for two beats──▶ away ──heard again──▶ there
 *                                                          └── the session is over: who waits goes on, and is told so
 *
 * A host that is cut off, or was frozen, may have been given up: its actors run elsewhere, and what they do here counts for
 * nothing. Until it hears its engine again they begin nothing by themselves.
 */
import type { Env } from "@troupe/base";

/** Beats that an engine may miss before it isn't known to be there. */
const SURE_BEATS = 2;

/** What one session knows of its engine. */
export class Presence {
  readonly #clock: Env["clock"];
  readonly #heartbeatMs: number;
  #heardAt: number;
  #away: PromiseWithResolvers<void> | undefined;
  #over = false;

  constructor(clock: Env["clock"], heartbeatMs: number) {
    this.#clock = clock;
    this.#heartbeatMs = heartbeatMs;
    this.#heardAt = clock.monotonic();
  }

  /** The engine has said something. */
  heard(): void {
    this.#heardAt = this.#clock.monotonic();
    this.#settle();
  }

  /** The link is lost. */
  lost(): void {
    if (!this.#over) this.#away ??= Promise.withResolvers();
  }

  /** The session is over: nobody waits any more. */
  end(): void {
    this.#over = true;
    this.#settle();
  }

  /** Settles when the engine is heard again, or the session is over; `undefined` while it is known to be there. */
  wait(): Promise<void> | undefined {
    if (this.#over) return undefined;
    const silentMs = this.#clock.monotonic() - this.#heardAt;
    if (silentMs > SURE_BEATS * this.#heartbeatMs) this.lost();
    return this.#away?.promise;
  }

  #settle(): void {
    this.#away?.resolve();
    this.#away = undefined;
  }
}
