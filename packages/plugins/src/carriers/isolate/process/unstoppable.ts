/**
 * Unstoppable: finds isolates that go on running after they were stopped, or never have their source loaded. Some loops of
 * the engine's own can't be interrupted, and nothing but the end of the process ends them.
 *
 * One that is stopped needs a little of a processor to notice it. On a busy machine that takes its time, and the process is
 * everybody's: so what counts is what such an isolate had of processors, not the time that went by. What the process had
 * is known, and belongs in equal parts to those that are late; none has more than one processor.
 */
import { limits } from "@troupe/protocol";

/** One process's. */
export class Unstoppable<Isolate> {
  /** What each of those had that were late when it was looked last. */
  #late = new Map<Isolate, number>();
  #cpuMs = 0;
  #lookedAt = 0;

  /** Says who is late at the moment, and what the process has had by now. True: one of them can't be stopped. */
  look(late: readonly Isolate[], now: { readonly wallMs: number; readonly cpuMs: number }): boolean {
    const goneMs = now.wallMs - this.#lookedAt;
    const partMs = Math.min(goneMs, (now.cpuMs - this.#cpuMs) / Math.max(1, this.#late.size));
    const had = late.map((isolate) => {
      const before = this.#late.get(isolate);
      return [isolate, before === undefined ? 0 : before + partMs] as const;
    });
    this.#late = new Map(had);
    this.#lookedAt = now.wallMs;
    this.#cpuMs = now.cpuMs;
    return had.some(([, ms]) => ms >= limits.isolateStuckMs);
  }
}
