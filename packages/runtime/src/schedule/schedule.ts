/**
 * An actor's schedules: calls to itself, kept as rows of its own.
 *
 * A schedule is a row from the turn that makes it. The earliest one is the actor's alarm, stored with the batch, so
 * that a host can wake the actor without reading its rows. A due call runs, and its row goes when the call has ended,
 * in the batch of its last turn: after a crash in the middle it runs again (at least once).
 */
import type { Env, TimerHandle } from "@troupe/base";
import { decodeCbor, encodeCbor, limits } from "@troupe/protocol";
import { scheduleErrors } from "../errors.ts";
import type { Row, RowChange } from "../ports/storage.ts";

/** Rows of schedules have keys with this prefix. */
export const SCHEDULE_PREFIX = "t:";

/** A timer sleeps at most this long, so that a wall clock that was set is noticed. */
const LONGEST_TIMER_MS = 60_000;

/** One call to come. */
export interface ScheduleEntry {
  readonly id: string;
  readonly action: string;
  readonly args: readonly unknown[];
  readonly runAt: number;
}

/** What the schedules need from their activation. */
export interface ScheduleOwner {
  /** A row changed. Throws when the activation has ended. */
  wrote(): void;
  /** Runs a due call; settles when it has ended, well or not. */
  fire(entry: ScheduleEntry, firedAt: number): Promise<void>;
  readonly maxSchedules: number;
}

/** The schedules of one activation. */
export class Schedules {
  readonly #env: Pick<Env, "clock" | "timers" | "ids">;
  readonly #owner: ScheduleOwner;
  readonly #entries = new Map<string, ScheduleEntry>();
  readonly #running = new Set<string>();
  /** Changed since the last batch: the row to put, or `null`. */
  readonly #changed = new Map<string, Uint8Array | null>();
  #timer: TimerHandle | undefined;
  #storedAlarm: number | null = null;
  #started = false;

  constructor(env: Pick<Env, "clock" | "timers" | "ids">, owner: ScheduleOwner) {
    this.#env = env;
    this.#owner = owner;
  }

  /** Takes over what storage holds. */
  load(rows: readonly Row[]): void {
    for (const row of rows) {
      if (!row.key.startsWith(SCHEDULE_PREFIX)) continue;
      const entry = decodeEntry(row.key.slice(SCHEDULE_PREFIX.length), row.value);
      this.#entries.set(entry.id, entry);
    }
    this.#storedAlarm = this.nextAt();
  }

  /**
   * From now on due calls run; those that are due begin in this turn. An actor that was woken for one is busy before
   * it can be taken for idle: put to sleep for another that is due, it would be woken again, and neither would run.
   */
  start(): void {
    if (this.#started) return;
    this.#started = true;
    this.#due();
  }

  /** No call starts any more; those that wait stay stored. */
  stop(): void {
    this.#started = false;
    if (this.#timer !== undefined) this.#env.timers.clear(this.#timer);
    this.#timer = undefined;
  }

  add(runAt: number, action: string, args: readonly unknown[]): string {
    if (!Number.isFinite(runAt)) throw scheduleErrors.invalidTime();
    if (this.#entries.size >= this.#owner.maxSchedules)
      throw scheduleErrors.tooMany(this.#owner.maxSchedules);
    const id = this.#env.ids.random();
    const bytes = encodeCbor({ action, args, runAt }, "schedule");
    if (bytes.byteLength > limits.scheduleArgsBytes) {
      throw scheduleErrors.argsTooLarge(bytes.byteLength, limits.scheduleArgsBytes);
    }
    this.#owner.wrote();
    // The entry is what its row says, never the caller's own array.
    this.#entries.set(id, decodeEntry(id, bytes));
    this.#changed.set(id, bytes);
    this.#arm();
    return id;
  }

  /** False when there is no such schedule, or it runs already. */
  cancel(id: string): boolean {
    if (!this.#entries.has(id) || this.#running.has(id)) return false;
    this.#remove(id);
    return true;
  }

  get(id: string): ScheduleEntry | undefined {
    return this.#entries.get(id);
  }

  list(): ScheduleEntry[] {
    return [...this.#entries.values()].sort((a, b) => a.runAt - b.runAt);
  }

  /** When the next call is due; `null` for never. */
  nextAt(): number | null {
    let next: number | null = null;
    for (const entry of this.#entries.values()) {
      if (next === null || entry.runAt < next) next = entry.runAt;
    }
    return next;
  }

  /** Takes what must be stored. Returns the alarm when it changed. */
  take(into: RowChange[]): number | null | undefined {
    if (this.#changed.size === 0) return undefined;
    for (const [id, value] of this.#changed) into.push({ key: SCHEDULE_PREFIX + id, value });
    this.#changed.clear();
    const alarm = this.nextAt();
    if (alarm === this.#storedAlarm) return undefined;
    this.#storedAlarm = alarm;
    return alarm;
  }

  #arm(): void {
    if (this.#timer !== undefined) this.#env.timers.clear(this.#timer);
    this.#timer = undefined;
    if (!this.#started) return;
    const next = this.#nextWaiting();
    if (next === undefined) return;
    const delayMs = Math.min(Math.max(0, next - this.#env.clock.now()), LONGEST_TIMER_MS);
    this.#timer = this.#env.timers.set(this.#due, delayMs, { background: true });
  }

  #nextWaiting(): number | undefined {
    let next: number | undefined;
    for (const entry of this.#entries.values()) {
      if (this.#running.has(entry.id)) continue;
      if (next === undefined || entry.runAt < next) next = entry.runAt;
    }
    return next;
  }

  readonly #due = (): void => {
    this.#timer = undefined;
    const now = this.#env.clock.now();
    for (const entry of this.list()) {
      // The call before may have stopped them all: it ended the actor.
      if (entry.runAt > now || !this.#started) break;
      if (!this.#running.has(entry.id)) this.#fire(entry, now);
    }
    this.#arm();
  };

  #fire(entry: ScheduleEntry, now: number): void {
    this.#running.add(entry.id);
    const done = (): void => {
      this.#running.delete(entry.id);
      this.#remove(entry.id);
    };
    // Rejected: the activation ended before the call did. The row stays, and the call runs again.
    this.#owner
      .fire(entry, now)
      .then(done)
      .catch(() => this.#running.delete(entry.id));
  }

  #remove(id: string): void {
    this.#owner.wrote();
    this.#entries.delete(id);
    this.#changed.set(id, null);
    this.#arm();
  }
}

function decodeEntry(id: string, bytes: Uint8Array): ScheduleEntry {
  const value = decodeCbor(bytes);
  if (
    typeof value === "object" &&
    value !== null &&
    "action" in value &&
    "args" in value &&
    "runAt" in value
  ) {
    const { action, args, runAt } = value;
    if (typeof action === "string" && Array.isArray(args) && typeof runAt === "number") {
      return Object.freeze({ id, action, args, runAt });
    }
  }
  throw scheduleErrors.invalidTime();
}
