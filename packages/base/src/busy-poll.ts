/**
 * BusyPoll: an event loop that doesn't go to sleep while an answer is on its way.
 *
 * To wake a thread that sleeps costs 5 µs, or 30 to 60 where its core has halted and a hypervisor has to start it again,
 * and an answer that takes less than that pays it twice: the other side is woken for the request, this one for the answer.
 * Polling for about as long as a wake costs, and sleeping then, is never much worse than the best that one could have done, had
 * one known how long the answer takes (Karlin et al. 1991; the kernel does the same for sockets, `net.core.busy_poll`).
 *
 * This side's loop is kept turning by tasks behind each turn: it looks at its sockets, messages and timers as always and
 * only doesn't wait for them. So an answer comes by the way that it would have come by, nothing has to be told that there is
 * polling, and nothing is kept waiting by it. It ends with the answer, and at the latest after `pollMs`. While it lasts the
 * process stays alive: `pollMs` longer than it would, at most.
 *
 * The other side, where it is a thread that sleeps on shared memory, looks at it for `lookMs` before it sleeps. It is told
 * so with each request, and only when the request before came that soon.
 *
 * Whether it pays is tried, again and again (`poll-trial.ts`): with a slow disk, a core that is shared, or a loop that has
 * other work anyway, it doesn't, and there is none. Who asks for nothing polls for nothing.
 */
import type { Clock, Env } from "./env.ts";
import { PollTrial } from "./poll-trial.ts";

/** What a busy poll is made of. */
export interface BusyPollParts {
  readonly clock: Pick<Clock, "monotonic">;
  /** Runs a task in a later turn of the loop, which doesn't sleep before it. */
  readonly afterTurn: Env["afterTurn"];
  /** The loop is kept turning for one answer for at most so long. 0: never. */
  readonly pollMs: number;
  /** The other side looks for the next request for so long. */
  readonly lookMs: number;
}

/** How an answer is come by that brings no turn of its own. */
export interface PolledAnswer {
  /** Takes it, if it is there: then `arrived()` was called, and true is returned. In a turn of the loop. */
  readonly look: () => boolean;
  /** Waits for it: it isn't looked for any more. */
  readonly sleep: () => void;
}

const COMES_BY_ITSELF: PolledAnswer = { look: () => false, sleep: () => {} };

/** Of one asker, whose answers take about the same time. */
export class BusyPoll {
  readonly #parts: BusyPollParts;
  readonly #trial: PollTrial;
  #answer = COMES_BY_ITSELF;
  #waits = false;
  /** A task of ours is on its way. */
  #turning = false;
  #askedAt = 0;
  #answeredAt = Number.NEGATIVE_INFINITY;
  /** How long the last answer took. */
  #lastMs = Number.POSITIVE_INFINITY;

  constructor(parts: BusyPollParts) {
    this.#parts = parts;
    this.#trial = new PollTrial(parts.pollMs);
  }

  /**
   * An answer is expected from now on. `answer`: where it can be looked for; without, it comes by itself. Asking again meanwhile
   * begins the same wait anew.
   */
  expect(answer: PolledAnswer = COMES_BY_ITSELF): void {
    this.#answer = answer;
    if (this.#parts.pollMs === 0) return answer.sleep();
    this.#waits = true;
    this.#askedAt = this.#parts.clock.monotonic();
    if (!this.#trial.polls) return answer.sleep();
    if (this.#turning) return;
    this.#turning = true;
    this.#parts.afterTurn(this.#turn);
  }

  /** It is there, or won't come. What wasn't expected is ignored. */
  arrived(): void {
    if (!this.#waits) return;
    this.#waits = false;
    this.#answeredAt = this.#parts.clock.monotonic();
    this.#lastMs = this.#answeredAt - this.#askedAt;
    this.#trial.took(this.#lastMs, this.#answeredAt);
  }

  /** An answer is expected, and about to come: the one before came in less time than one is polled for. */
  get soon(): boolean {
    return this.#waits && this.#lastMs <= this.#parts.pollMs;
  }

  /** The next wait is polled. */
  get polls(): boolean {
    return this.#parts.pollMs > 0 && this.#trial.polls;
  }

  /** For how long the other side should look for the next request when it has answered this one. Asked before `expect()`. */
  get lookMs(): number {
    const { lookMs, clock } = this.#parts;
    if (!this.polls) return 0;
    return clock.monotonic() - this.#answeredAt <= lookMs ? lookMs : 0;
  }

  readonly #turn = (): void => {
    this.#turning = false;
    if (!this.#waits || this.#answer.look()) return;
    const { clock, afterTurn, pollMs } = this.#parts;
    if (clock.monotonic() - this.#askedAt >= pollMs) return this.#answer.sleep();
    this.#turning = true;
    afterTurn(this.#turn);
  };
}
