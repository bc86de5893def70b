/**
 * SilenceWatch: whether a process lives that keeps its socket. One that was stopped, or loops, or hangs in the engine's own
 * code, says nothing, for ever.
 *
 * It is asked once a beat; whatever it says counts. A host that was away itself (a long turn, a machine that slept) has
 * read nothing meanwhile: then the process's time begins anew.
 */
import type { Env, TimerHandle } from "@troupe/base";

/** How long a process may say nothing. */
export interface SilenceTerms {
  /** It is asked this often. */
  readonly beatMs: number;
  /** One that has said nothing yet has so long: it is still starting. Default: `mostMs`. */
  readonly startMs?: number;
  /** After so long it is noted. Default: it isn't. */
  readonly notedMs?: number;
  /** After so long it is given up. */
  readonly mostMs: number;
}

/** What a watch is made of. */
export interface SilenceWatchParts {
  readonly env: Pick<Env, "clock" | "timers">;
  readonly terms: SilenceTerms;
  /** Asks for a sign of life. */
  readonly ask: () => void;
  /** It has shown none for `notedMs`: once, until it shows one. */
  readonly noted?: (ms: number) => void;
  /** It has shown none for so long. Once, and last. */
  readonly silent: (ms: number) => void;
}

/** Watches one process until it is stopped. */
export class SilenceWatch {
  readonly #parts: SilenceWatchParts;
  #patienceMs: number;
  #heardAt: number;
  #isNoted = false;
  #timer: TimerHandle;

  constructor(parts: SilenceWatchParts) {
    this.#parts = parts;
    this.#patienceMs = parts.terms.startMs ?? parts.terms.mostMs;
    this.#heardAt = parts.env.clock.monotonic();
    this.#timer = this.#beat();
  }

  /** A sign of life. */
  heard(): void {
    this.#patienceMs = this.#parts.terms.mostMs;
    this.#begin(this.#parts.env.clock.monotonic());
  }

  stop(): void {
    this.#parts.env.timers.clear(this.#timer);
  }

  #begin(now: number): void {
    this.#heardAt = now;
    this.#isNoted = false;
  }

  #beat(): TimerHandle {
    const { env, terms, ask } = this.#parts;
    ask();
    const dueAt = env.clock.monotonic() + terms.beatMs;
    return env.timers.set(() => this.#look(dueAt), terms.beatMs, { background: true });
  }

  #look(dueAt: number): void {
    const { env, terms, noted, silent } = this.#parts;
    const now = env.clock.monotonic();
    if (now - dueAt > terms.beatMs) this.#begin(now);
    const silentMs = Math.round(now - this.#heardAt);
    if (silentMs > this.#patienceMs) return silent(silentMs);
    if (silentMs > (terms.notedMs ?? Infinity) && !this.#isNoted) {
      this.#isNoted = true;
      noted?.(silentMs);
    }
    this.#timer = this.#beat();
  }
}
