/**
 * AlarmClock: wakes sleeping actors whose schedule is due.
 *
 * Storage knows every actor's alarm; one timer of the host is set to the earliest that somebody must still act on. The
 * timer may ring too early (an alarm was removed meanwhile), never too late: whoever sleeps with an alarm tells the
 * clock. Actors that are awake watch their own schedules.
 *
 * No actor holds up another. A wake isn't waited for, and an alarm that was acted on stays in storage for a while, so
 * the clock holds its actor's id and looks past it:
 *
 *   waking ──▶ rung     it runs: its alarm is its own matter until it sleeps, when it says what is left
 *      ▲  └──▶ failed   it didn't start, or broke: tried again after a wait that doubles
 *      └────────┘
 *
 * An id is held until a look finds its alarm gone or moved.
 */
import { type Env, type TimerHandle, TroupeError, wallWaitMs } from "@troupe/base";
import { limits } from "@troupe/protocol";
import type { ActorStorage, Alarm } from "../ports/storage.ts";
import { Seldom } from "../seldom.ts";
import { StartError } from "./failed-starts.ts";

/** After storage failed to answer, and after an actor's first failure. */
const RETRY_MS = 1_000;
/** An actor that keeps failing is tried this often. */
const LONGEST_RETRY_MS = 300_000;

/** An actor whose alarm was acted on. */
interface Held {
  state: "waking" | "rung" | "failed";
  /** Failed: not tried again before this monotonic time. */
  until: number;
  /** The wait after its last failure; 0 without one. */
  waitMs: number;
}

/** The alarms of a host. */
export class AlarmClock {
  readonly #env: Pick<Env, "clock" | "timers" | "log">;
  readonly #seldom: Seldom;
  readonly #storage: Pick<ActorStorage, "nextAlarm" | "dueAlarms">;
  /** Settles when the actor runs; rejects with what kept it from that. */
  readonly #wake: (actorId: string) => Promise<unknown>;
  /** In the order of their first tries. */
  readonly #held = new Map<string, Held>();
  #waking = 0;
  #timer: TimerHandle | undefined;
  /** Monotonic. */
  #timerAt = Infinity;
  #closed = false;

  constructor(options: {
    env: Pick<Env, "clock" | "timers" | "log">;
    storage: Pick<ActorStorage, "nextAlarm" | "dueAlarms">;
    wake: (actorId: string) => Promise<unknown>;
  }) {
    this.#env = options.env;
    this.#seldom = new Seldom(options.env.clock);
    this.#storage = options.storage;
    this.#wake = options.wake;
  }

  /** Looks for the earliest alarm and waits for it. */
  async start(): Promise<void> {
    const next = await this.#storage.nextAlarm();
    if (next !== undefined) this.#lookAt(next.at);
  }

  /** An actor sleeps; its next alarm is at `at` (wall clock, ms). */
  slept(actorId: string, at: number): void {
    this.#held.delete(actorId);
    this.#lookAt(at);
  }

  /** An actor broke, and may have an alarm. */
  failed(actorId: string): void {
    const held = this.#held.get(actorId);
    // Broken in its start: the end of the wake tells.
    if (held?.state !== "waking") this.#fail(actorId, held ?? this.#hold(actorId), true);
  }

  /** An activation is over. One that was rung and could not store what became of its alarm is looked at again. */
  ended(actorId: string): void {
    if (this.#held.get(actorId)?.state !== "rung") return;
    this.#held.delete(actorId);
    this.#lookIn(RETRY_MS);
  }

  close(): void {
    this.#closed = true;
    if (this.#timer !== undefined) this.#env.timers.clear(this.#timer);
  }

  #lookAt(at: number): void {
    this.#lookIn(wallWaitMs(this.#env.clock, at));
  }

  #lookIn(delayMs: number): void {
    const at = this.#env.clock.monotonic() + delayMs;
    if (this.#closed || at >= this.#timerAt) return;
    if (this.#timer !== undefined) this.#env.timers.clear(this.#timer);
    this.#timerAt = at;
    this.#timer = this.#env.timers.set(() => void this.#look(), delayMs, { background: true });
  }

  async #look(): Promise<void> {
    this.#timer = undefined;
    this.#timerAt = Infinity;
    // Those that are held may all come first: behind them there is still a round of others.
    const limit = this.#held.size + limits.alarmsPerRound;
    try {
      const alarms = await this.#storage.dueAlarms(Number.MAX_SAFE_INTEGER, limit);
      if (!this.#closed) this.#ring(alarms, alarms.length < limit);
    } catch (cause) {
      this.#env.log.error("looking for due alarms failed", { cause });
      this.#lookIn(RETRY_MS);
    }
  }

  /** Wakes whose alarm is due, and sets the timer for the others. `all`: storage has no more alarms. */
  #ring(alarms: readonly Alarm[], all: boolean): void {
    const now = this.#env.clock.now();
    const due = new Set<string>();
    const next = alarms.find((alarm) => alarm.at > now);
    for (const { actorId, at } of alarms) {
      if (at > now) break;
      due.add(actorId);
      const waitMs = this.#waitMs(actorId);
      if (waitMs === Infinity) continue;
      if (waitMs > 0) this.#lookIn(waitMs);
      // Whoever ends its wake looks again.
      else if (this.#waking < limits.alarmsWaking) this.#try(actorId);
    }
    if (next !== undefined) this.#lookAt(next.at);
    else if (!all) this.#lookIn(this.#held.size < limits.alarmsHeld ? 0 : RETRY_MS);
    if (next === undefined && !all) return;
    for (const [actorId, { state }] of this.#held) {
      if (state !== "waking" && !due.has(actorId)) this.#held.delete(actorId);
    }
  }

  /** How long this actor isn't tried yet: for ever while it wakes or runs. */
  #waitMs(actorId: string): number {
    const held = this.#held.get(actorId);
    if (held === undefined) return 0;
    return held.state === "failed" ? held.until - this.#env.clock.monotonic() : Infinity;
  }

  #try(actorId: string): void {
    const held = this.#held.get(actorId) ?? this.#hold(actorId);
    held.state = "waking";
    this.#waking += 1;
    this.#wake(actorId).then(
      () => {
        this.#woken();
        held.state = "rung";
      },
      (cause: unknown) => {
        this.#woken();
        if (this.#closed) return;
        // What passes by itself, a host without room, is no failure of the actor's.
        const passing = TroupeError.is(cause) && cause.retryable ? cause : undefined;
        this.#fail(actorId, held, passing === undefined);
        if (passing !== undefined) return this.#putOff(passing);
        const retryInMs = held.waitMs;
        // What keeps it from starting has its line.
        const why = StartError.is(cause) ? { id: cause.logId } : { cause };
        this.#env.log.error("waking an actor for its alarm failed", { actorId, retryInMs, ...why });
      },
    );
  }

  /** Thousands may wait for the same. */
  #putOff({ group, code, message: why }: TroupeError): void {
    const error = `${group}.${code}`;
    const more = this.#seldom.take(error);
    if (more !== undefined) this.#env.log.warn("alarms wait, and are tried again", { error, why, more });
  }

  #woken(): void {
    if (this.#waking === limits.alarmsWaking) this.#lookIn(0);
    this.#waking -= 1;
  }

  #fail(actorId: string, held: Held, again: boolean): void {
    if (again || held.waitMs === 0)
      held.waitMs = Math.min(Math.max(RETRY_MS, held.waitMs * 2), LONGEST_RETRY_MS);
    held.state = "failed";
    held.until = this.#env.clock.monotonic() + held.waitMs;
    // It slept meanwhile, and starts anew: what it said then is overruled.
    this.#held.set(actorId, held);
    this.#lookIn(held.waitMs);
  }

  #hold(actorId: string): Held {
    // Too many to know them all: the oldest may be tried too early.
    if (this.#held.size >= limits.alarmsHeld) this.#forgetOne();
    const held: Held = { state: "waking", until: 0, waitMs: 0 };
    this.#held.set(actorId, held);
    return held;
  }

  #forgetOne(): void {
    for (const [actorId, { state }] of this.#held) {
      if (state === "waking") continue;
      this.#held.delete(actorId);
      return;
    }
  }
}
