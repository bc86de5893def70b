/**
 * Pulse: the other end of a link, which is heard every few beats, or is given up: it may be gone, and its socket doesn't know it.
 *
 * Whoever was away itself (a long turn, a machine that slept) has read nothing meanwhile: the other end's time begins anew.
 */
import type { Env, TimerHandle } from "@troupe/base";

/** What a pulse is made of. */
export interface PulseParts {
  readonly env: Pick<Env, "clock" | "timers">;
  readonly beatMs: number;
  /** After a silence of so many beats the other end is given up. */
  readonly mostBeats: number;
  /** A beat has passed, and the other end may be there. */
  readonly beat?: () => void;
  /** The other end was silent for too long; the last that is said here. */
  readonly silent: () => void;
}

/** Of one link, until it is stopped. */
export class Pulse {
  readonly #parts: PulseParts;
  #heardAt: number;
  #timer: TimerHandle;

  constructor(parts: PulseParts) {
    this.#parts = parts;
    this.#heardAt = parts.env.clock.monotonic();
    this.#timer = this.#arm();
  }

  /** The other end has said something. */
  heard(): void {
    this.#heardAt = this.#parts.env.clock.monotonic();
  }

  stop(): void {
    this.#parts.env.timers.clear(this.#timer);
  }

  #arm(): TimerHandle {
    const { env, beatMs } = this.#parts;
    const dueAt = env.clock.monotonic() + beatMs;
    return env.timers.set(() => this.#look(dueAt), beatMs, { background: true });
  }

  #look(dueAt: number): void {
    const { env, beatMs, mostBeats, beat, silent } = this.#parts;
    const now = env.clock.monotonic();
    if (now - dueAt > beatMs) this.#heardAt = now;
    if (now - this.#heardAt > mostBeats * beatMs) return silent();
    this.#timer = this.#arm();
    beat?.();
  }
}
