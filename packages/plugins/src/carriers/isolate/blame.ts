/**
 * Blame: who has ended the isolates' process, which is everybody's, and how long they wait for it.
 *
 *   never ── ends it ──▶ once ── ends it again within ten minutes ──▶ 1 s, 2 s, 4 s … 30 s without a start
 *
 * Who ran for long when it ended is to blame; nobody else can be told from those that only wait for something. The first end costs no
 * wait: it may have been bad luck.
 */
import type { Env } from "@troupe/base";
import { limits } from "@troupe/protocol";

interface Blamed {
  readonly times: number;
  /** Monotonic. */
  readonly until: number;
}

/** One process's, and that of those after it. */
export class Blame {
  readonly #clock: Pick<Env["clock"], "monotonic">;
  /** By actor; the one that was blamed longest ago comes first. */
  readonly #blamed = new Map<string, Blamed>();

  constructor(clock: Pick<Env["clock"], "monotonic">) {
    this.#clock = clock;
  }

  /** It has ended the process. */
  add(actorId: string): void {
    const now = this.#clock.monotonic();
    const before = this.#blamed.get(actorId);
    const isAgain = before !== undefined && now - before.until < limits.pluginCrashWindowMs;
    const times = isAgain ? before.times + 1 : 1;
    this.#blamed.delete(actorId);
    this.#blamed.set(actorId, { times, until: now + waitAfter(times) });
    const [first] = this.#blamed.keys();
    if (this.#blamed.size > limits.failedStarts && first !== undefined) this.#blamed.delete(first);
  }

  /** Milliseconds until it may start again. */
  waitMs(actorId: string): number {
    const until = this.#blamed.get(actorId)?.until ?? 0;
    return Math.max(0, Math.ceil(until - this.#clock.monotonic()));
  }
}

function waitAfter(times: number): number {
  if (times < 2) return 0;
  return Math.min(limits.failedStartWaitMs * 2 ** Math.min(times - 2, 32), limits.failedStartLongestWaitMs);
}
