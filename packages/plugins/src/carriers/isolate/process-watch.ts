/**
 * ProcessWatch: whether an isolate process lives. One that was stopped, or hangs in the engine's own code, keeps its socket
 * and says nothing, for ever.
 *
 * It is asked once a beat; whatever it says counts. A runtime that was away itself (a long turn, a machine that slept)
 * has read nothing meanwhile: then the process's time begins anew. One that has said nothing yet is still starting, and has
 * the time of a start.
 */
import type { Env, TimerHandle } from "@troupe/base";
import { limits } from "@troupe/protocol";

/** What a watch is made of. */
export interface ProcessWatchParts {
  readonly env: Pick<Env, "clock" | "timers">;
  /** Asks for a sign of life. */
  readonly ask: () => void;
  /** It has shown none for so long. Once, and last. */
  readonly silent: (ms: number) => void;
}

/** Watches one process until it is stopped. */
export class ProcessWatch {
  readonly #parts: ProcessWatchParts;
  #patienceMs: number = limits.pluginOpenTimeoutMs;
  #heardAt: number;
  #timer: TimerHandle;

  constructor(parts: ProcessWatchParts) {
    this.#parts = parts;
    this.#heardAt = parts.env.clock.monotonic();
    this.#timer = this.#beat();
  }

  /** A sign of life. */
  heard(): void {
    this.#patienceMs = limits.isolateSilentMs;
    this.#heardAt = this.#parts.env.clock.monotonic();
  }

  stop(): void {
    this.#parts.env.timers.clear(this.#timer);
  }

  #beat(): TimerHandle {
    const { clock, timers } = this.#parts.env;
    this.#parts.ask();
    const dueAt = clock.monotonic() + limits.isolateBeatMs;
    return timers.set(() => this.#look(dueAt), limits.isolateBeatMs, { background: true });
  }

  #look(dueAt: number): void {
    const now = this.#parts.env.clock.monotonic();
    if (now - dueAt > limits.isolateBeatMs) this.#heardAt = now;
    const silentMs = now - this.#heardAt;
    if (silentMs > this.#patienceMs) this.#parts.silent(Math.round(silentMs));
    else this.#timer = this.#beat();
  }
}
