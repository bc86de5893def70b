/**
 * Trust: whether one isolate has earned to be entered on the process's own thread.
 *
 *   stranger ── so many short entries ──▶ asks for its guard ──▶ trusted
 *      ▲                                                           │
 *      └──────────────── an entry that isn't short ────────────────┘ (it is guarded from then on)
 *
 * What counts is the time of a processor, so that nobody loses it because the machine was busy. A collection of garbage
 * makes an entry long now and then: that costs a little of what was earned, and a loop costs all of it. An isolate whose limit
 * of time is longer than the usual one is never trusted: its neighbours couldn't wait for that.
 */
import { limits } from "@troupe/protocol";
import type ivm from "isolated-vm";
import type { Guarded } from "./entry-watch.ts";
import type { OwnThread } from "./own-thread.ts";

/** What trust is made of. */
export interface TrustParts {
  readonly thread: Pick<OwnThread, "guard" | "forget" | "owes">;
  readonly isolate: Guarded & Pick<ivm.Isolate, "cpuTime">;
  readonly limitMs: number;
}

/** Short entries that one is worth which takes just too long; one that takes twice as long costs twice as many. */
const COST_OF_LONG = 8;

/** One isolate's. */
export class Trust {
  readonly #parts: TrustParts;
  /** Short entries that count. */
  #earned = 0;
  /** What the isolate had of a processor when the entry began. */
  #began = 0n;
  #asked = false;
  #guarded: number | undefined;
  #ended = false;

  constructor(parts: TrustParts) {
    this.#parts = parts;
  }

  /** Its number, when it may be entered on the process's own thread. */
  get guarded(): number | undefined {
    return this.#earned >= limits.isolateTrustEntries ? this.#guarded : undefined;
  }

  /** An entry begins, on whichever thread. */
  begin(): void {
    this.#began = this.#parts.isolate.cpuTime;
  }

  /** It is over. */
  end(where: "here" | "elsewhere"): void {
    const { isolate, thread, limitMs } = this.#parts;
    if (limitMs > limits.isolateTimeMs) return;
    // One that was ended has no clock any more: it had no more than its limit, or about that.
    const ranMs = isolate.isDisposed ? limitMs : Number(isolate.cpuTime - this.#began) / 1e6;
    if (ranMs <= limits.isolateShortMs) this.#earned = Math.min(this.#earned + 1, limits.isolateTrustEntries);
    else {
      this.#earned = Math.max(0, this.#earned - (COST_OF_LONG * ranMs) / limits.isolateShortMs);
      if (where === "here") thread.owes(ranMs);
    }
    if (this.#earned === limits.isolateTrustEntries && !this.#asked) void this.#ask();
  }

  /** There is no isolate any more. */
  stop(): void {
    this.#ended = true;
    if (this.#guarded !== undefined) this.#parts.thread.forget(this.#guarded);
  }

  async #ask(): Promise<void> {
    const { thread, isolate, limitMs } = this.#parts;
    this.#asked = true;
    try {
      const whose = await thread.guard(isolate, limitMs);
      if (this.#ended) thread.forget(whose);
      else this.#guarded = whose;
    } catch (cause) {
      // It is entered elsewhere, as any other.
      process.stderr.write(`an isolate has no guard: ${String(cause)}\n`);
    }
  }
}
