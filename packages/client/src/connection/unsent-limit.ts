/**
 * UnsentLimit: calls that wait too long for a link are given up, so that no caller waits for ever on a server that is down.
 *
 * One timer for all: it is armed while something waits, and set for the oldest when it fires.
 */
import type { TimerHandle } from "@troupe/base";
import type { ClientEnv } from "../env.ts";
import type { QueuedCall } from "./call-queue.ts";

/** What it watches. */
export interface UnsentLimitParts {
  readonly env: Pick<ClientEnv, "clock" | "timers">;
  /** How long a call waits for a link, milliseconds; Infinity for no limit. */
  readonly sendTimeoutMs: number;
  /** Those that wait. */
  readonly waiting: () => Iterable<QueuedCall>;
  readonly giveUp: (call: QueuedCall) => void;
}

/** Watches what waits for a link of one connection. */
export class UnsentLimit {
  readonly #parts: UnsentLimitParts;
  #timer: TimerHandle | undefined;

  constructor(parts: UnsentLimitParts) {
    this.#parts = parts;
  }

  /** Something waits. */
  arm(): void {
    const { env, sendTimeoutMs } = this.#parts;
    if (this.#timer === undefined && sendTimeoutMs !== Infinity) this.#set(env.clock.monotonic());
  }

  /** Nothing waits. */
  clear(): void {
    if (this.#timer !== undefined) this.#parts.env.timers.clear(this.#timer);
    this.#timer = undefined;
  }

  #set(since: number): void {
    const { env, sendTimeoutMs } = this.#parts;
    const delayMs = Math.max(0, since + sendTimeoutMs - env.clock.monotonic());
    this.#timer = env.timers.set(() => this.#fire(), delayMs);
  }

  #fire(): void {
    this.#timer = undefined;
    const { env, sendTimeoutMs } = this.#parts;
    const overdue = env.clock.monotonic() - sendTimeoutMs;
    let oldest = Infinity;
    for (const call of [...this.#parts.waiting()]) {
      // A caller who says how long it waits has a timer of its own.
      if (call.deadline !== undefined) continue;
      if (call.queuedAt <= overdue) this.#parts.giveUp(call);
      else oldest = Math.min(oldest, call.queuedAt);
    }
    if (oldest !== Infinity) this.#set(oldest);
  }
}
