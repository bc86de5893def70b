/**
 * An actor's schedules: calls to itself, kept as rows of its own. One-shot calls (`one-shot.ts`) and recurring jobs
 * (`job.ts`), any number of them, share one alarm.
 *
 * A schedule is a row from the turn that makes it. The earliest time of all is the actor's alarm, stored with the batch, so
 * that a host can wake the actor without reading its rows. What ends a call (its row goes, or tells of the failure) is
 * written in the last turn of its action, and goes in that turn's batch. So an action of one turn has its effects and
 * its end stored together: once. One of several turns that a crash cuts off begins again: at least once.
 *
 * A failed one-shot call stays, for people to see. It has no time and wakes nobody.
 */
import { type Env, type TimerHandle, wallWaitMs } from "@troupe/base";
import { limits } from "@troupe/protocol";
import type { MaybePromise, Row, RowChange } from "../ports/storage.ts";
import { scheduleErrors } from "./errors.ts";
import type { ScheduleFailure } from "./failure.ts";
import { type CronFire, fullestJob, History } from "./history.ts";
import { Job, type JobSettings, type Run } from "./job.ts";
import { decodeOneShot, encodeOneShot, type OneShot, storedArgs } from "./one-shot.ts";
import type { ScheduleOwner } from "./owner.ts";
import { NEVER } from "./recurrence.ts";
import { type Retry, retryDelayMs } from "./retry.ts";

/** Rows of one-shot calls have keys with this prefix. */
export const SCHEDULE_PREFIX = "t:";
/** Rows of jobs have keys with this prefix. */
export const JOB_PREFIX = "r:";

/** A one-shot call to make. */
export interface OneShotSettings {
  readonly runAt: number;
  readonly action: string;
  readonly args: readonly unknown[];
  /** There is one call with a name: a new one takes the other's place. */
  readonly name?: string | undefined;
  readonly retry: Retry;
}

/** Until the owner is asked again. */
const ASK_AGAIN_MS = 100;

/** The schedules of one activation. */
export class Schedules {
  readonly #env: Pick<Env, "clock" | "timers" | "ids">;
  readonly #owner: ScheduleOwner;
  readonly #calls = new Map<string, OneShot>();
  readonly #jobs = new Map<string, Job>();
  readonly #history: History;
  readonly #running = new Set<OneShot | Run>();
  /** Changed since the last batch: the row to put, or `null`. A job is encoded when the batch is taken. */
  readonly #changed = new Map<string, Uint8Array | null | Job>();
  #timer: TimerHandle | undefined;
  #storedAlarm: number | null = null;
  #started = false;
  /** What is due waits for the owner's word. */
  #asking = false;

  constructor(env: Pick<Env, "clock" | "timers" | "ids">, owner: ScheduleOwner) {
    this.#env = env;
    this.#owner = owner;
    this.#history = new History(owner.stored);
  }

  /** Takes over what storage holds. */
  load(rows: readonly Row[]): void {
    for (const { key, value } of rows) {
      if (key.startsWith(SCHEDULE_PREFIX)) {
        const id = key.slice(SCHEDULE_PREFIX.length);
        this.#calls.set(id, decodeOneShot(id, value));
      } else if (key.startsWith(JOB_PREFIX)) {
        const name = key.slice(JOB_PREFIX.length);
        this.#jobs.set(name, Job.decode(name, value));
      }
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

  /** Returns the call's id: its name, where it has one. Throws `schedule.*`, `value.*`. */
  add({ runAt, action, args: given, name, retry }: OneShotSettings): string {
    if (!Number.isFinite(runAt)) throw scheduleErrors.invalidTime();
    const id = name ?? this.#env.ids.random();
    if (!this.#isWaiting(id)) this.#checkRoom();
    const args = storedArgs(given);
    const trace = this.#owner.trace?.();
    const call = { id, name, action, args, runAt, dueAt: runAt, attempt: 1, retry, failed: undefined, trace };
    this.#put(call);
    this.#arm();
    return id;
  }

  /** False when there is no such call, or it runs already. */
  cancel(id: string): boolean {
    const call = this.#calls.get(id);
    if (call === undefined || this.#running.has(call)) return false;
    this.#remove(call);
    this.#arm();
    return true;
  }

  /** A failed call waits again. False when there is none with this id. */
  again(id: string, runAt: number): boolean {
    const call = this.#calls.get(id);
    if (call?.failed === undefined) return false;
    if (!Number.isFinite(runAt)) throw scheduleErrors.invalidTime();
    this.#checkRoom();
    this.#put({ ...call, runAt, dueAt: runAt, attempt: 1, failed: undefined });
    this.#arm();
    return true;
  }

  get(id: string): OneShot | undefined {
    return this.#calls.get(id);
  }

  /** In the order of their times. */
  list(): OneShot[] {
    return [...this.#calls.values()].sort((a, b) => a.runAt - b.runAt);
  }

  /** Makes a job, or changes the one with this name. Throws `schedule.*`, `value.*`. */
  setJob(name: string, settings: JobSettings): void {
    const now = this.#env.clock.now();
    const stored = { ...settings, args: storedArgs(settings.args) };
    let job = this.#jobs.get(name);
    if (job === undefined) {
      this.#checkRoom();
      job = new Job(this.#env.ids.random(), name, stored, now);
    } else job.change(stored, now);
    this.#wroteJob(job);
    this.#jobs.set(name, job);
    this.#history.trim(job);
    this.#arm();
  }

  /** Ends a job and its history; a run of it that goes on does so. False when there is none with this name. */
  deleteJob(name: string): boolean {
    const job = this.#jobs.get(name);
    if (job === undefined) return false;
    this.#owner.wrote();
    this.#jobs.delete(name);
    while (job.historyFrom < job.historyNext) this.#history.dropOldest(job);
    this.#changed.set(JOB_PREFIX + name, null);
    this.#arm();
    return true;
  }

  job(name: string): Job | undefined {
    return this.#jobs.get(name);
  }

  /** In the order of their next times. */
  jobs(): Job[] {
    return [...this.#jobs.values()].sort((a, b) => a.nextAt - b.nextAt);
  }

  /** The newest runs of a job, newest first. */
  history(name: string, limit: number): MaybePromise<CronFire[]> {
    return this.#history.list(name, limit);
  }

  /** When something is due next; `null` for never. What runs is due until it has ended: a crash may cut it off. */
  nextAt(): number | null {
    let next = NEVER;
    for (const { dueAt, failed } of this.#calls.values()) {
      if (failed === undefined && dueAt < next) next = dueAt;
    }
    for (const { wakeAt } of this.#jobs.values()) if (wakeAt < next) next = wakeAt;
    return next === NEVER ? null : next;
  }

  /** Takes what must be stored. Returns the alarm when it changed. */
  take(into: RowChange[]): number | null | undefined {
    if (this.#changed.size === 0) return undefined;
    for (const [key, value] of this.#changed) {
      into.push({ key, value: value instanceof Job ? value.encode() : value });
    }
    this.#changed.clear();
    this.#history.take(into);
    const alarm = this.nextAt();
    if (alarm === this.#storedAlarm) return undefined;
    this.#storedAlarm = alarm;
    return alarm;
  }

  #arm(): void {
    if (this.#timer !== undefined) this.#env.timers.clear(this.#timer);
    this.#timer = undefined;
    if (!this.#started || this.#asking) return;
    const next = this.#nextWaiting();
    if (next === NEVER) return;
    const { clock, timers } = this.#env;
    this.#timer = timers.set(this.#due, wallWaitMs(clock, next), { background: true });
  }

  /** As `nextAt`, without what runs already. */
  #nextWaiting(): number {
    let next = NEVER;
    for (const call of this.#calls.values()) {
      if (call.failed === undefined && call.dueAt < next && !this.#running.has(call)) next = call.dueAt;
    }
    for (const job of this.#jobs.values()) next = Math.min(next, job.readyAt(this.#isRunning));
    return next;
  }

  readonly #isRunning = (run: Run): boolean => this.#running.has(run);

  readonly #due = (): void => {
    this.#timer = undefined;
    this.#asking = true;
    this.#owner.whenKnown(this.#fireDue, this.#unknown);
  };

  /** The owner couldn't say it now; mostly its end is near. */
  readonly #unknown = (): void => {
    this.#asking = false;
    if (this.#started) this.#timer ??= this.#env.timers.set(this.#due, ASK_AGAIN_MS, { background: true });
  };

  readonly #fireDue = (): void => {
    this.#asking = false;
    const now = this.#env.clock.now();
    const due = [...this.#calls.values()].filter(({ failed, dueAt }) => failed === undefined && dueAt <= now);
    for (const call of due.sort((a, b) => a.dueAt - b.dueAt)) {
      // The call before may have stopped them all: it ended the actor.
      if (!this.#started) return;
      // It may also have cancelled this one, or taken its name.
      if (this.#calls.get(call.id) === call && !this.#running.has(call)) this.#fire(call, now);
    }
    for (const job of this.#jobs.values()) this.#dueJob(job, now);
    this.#arm();
  };

  #dueJob(job: Job, now: number): void {
    const { action } = job.settings;
    const came = job.come(now);
    if (came !== undefined) {
      this.#wroteJob(job);
      for (const scheduledAt of came.skipped) {
        this.#history.add(job, { action, scheduledAt, firedAt: now, result: "skipped" });
      }
    }
    this.#fireReady(job, now);
  }

  #fireReady(job: Job, now: number): void {
    for (const run of job.ready(now, this.#isRunning)) {
      // The one before may have ended the job.
      if (this.#jobs.get(job.name) === job) this.#fireRun(job, run, now);
    }
  }

  #fire(call: OneShot, now: number): void {
    const { id, name, action, args, runAt: scheduledAt, attempt, trace } = call;
    this.#running.add(call);
    // Rejected: the activation ended before the call did. The row stays, and the call runs again.
    this.#owner
      .fire({ kind: "at", id, name, action, args, scheduledAt, firedAt: now, attempt, trace })
      .then((error) => this.#ended(call, error))
      .catch(() => this.#running.delete(call));
  }

  #ended(call: OneShot, error: ScheduleFailure | undefined): void {
    this.#running.delete(call);
    // Another one has taken its name meanwhile.
    if (this.#calls.get(call.id) !== call) return this.#arm();
    if (error === undefined) this.#remove(call);
    else this.#failed(call, error);
    this.#arm();
  }

  #failed(call: OneShot, error: ScheduleFailure): void {
    const now = this.#env.clock.now();
    const delayMs = retryDelayMs(call.retry, call.attempt);
    if (delayMs !== undefined) {
      // Never before its time, also when the clock was set back meanwhile.
      const dueAt = Math.max(call.runAt, now + delayMs);
      return this.#put({ ...call, attempt: call.attempt + 1, dueAt });
    }
    this.#put({ ...call, failed: { error, at: now } });
    const failed = [...this.#calls.values()].filter((other) => other.failed !== undefined);
    if (failed.length <= limits.schedulesFailed) return;
    failed.sort((a, b) => (a.failed?.at ?? 0) - (b.failed?.at ?? 0));
    for (const oldest of failed.slice(0, failed.length - limits.schedulesFailed)) this.#remove(oldest);
  }

  #fireRun(job: Job, run: Run, now: number): void {
    const { action, args, recurrence } = job.settings;
    const { scheduledAt, attempt } = run;
    this.#running.add(run);
    job.lastRunAt = now;
    const fire: CronFire = { action, scheduledAt, firedAt: now, result: "running", ...attempts(attempt) };
    if (run.history === undefined) run.history = this.#history.add(job, fire);
    else this.#history.put(job, run.history, fire);
    this.#wroteJob(job);
    const due = { kind: recurrence.kind, id: job.id, name: job.name, action, args, scheduledAt };
    this.#owner
      .fire({ ...due, firedAt: now, attempt })
      .then((error) => this.#runEnded(job, run, fire, error))
      .catch(() => this.#running.delete(run));
  }

  #runEnded(job: Job, run: Run, fire: CronFire, error: ScheduleFailure | undefined): void {
    this.#running.delete(run);
    if (this.#jobs.get(job.name) === job) {
      const now = this.#env.clock.now();
      this.#wroteJob(job);
      if (run.history !== undefined) {
        const ended = error === undefined ? { result: "ok" as const } : { result: "error" as const, error };
        this.#history.put(job, run.history, { ...fire, finishedAt: now, ...ended });
      }
      if (error === undefined || !job.retry(run, now)) job.end(run);
      if (this.#started) this.#owner.whenKnown(() => this.#fireReady(job, now), this.#unknown);
    }
    this.#arm();
  }

  #checkRoom(): void {
    let waiting = this.#jobs.size;
    for (const { failed } of this.#calls.values()) if (failed === undefined) waiting += 1;
    if (waiting >= this.#owner.maxSchedules) throw scheduleErrors.tooMany(this.#owner.maxSchedules);
  }

  #isWaiting(id: string): boolean {
    const call = this.#calls.get(id);
    return call !== undefined && call.failed === undefined;
  }

  #put(call: OneShot): void {
    const bytes = encodeOneShot(call);
    this.#owner.wrote();
    this.#calls.set(call.id, call);
    this.#changed.set(SCHEDULE_PREFIX + call.id, bytes);
  }

  #remove({ id }: OneShot): void {
    this.#owner.wrote();
    this.#calls.delete(id);
    this.#changed.set(SCHEDULE_PREFIX + id, null);
  }

  #wroteJob(job: Job): void {
    this.#owner.wrote();
    this.#changed.set(JOB_PREFIX + job.name, job);
    for (let full = fullestJob(this.#jobs.values()); full !== undefined; ) {
      this.#history.dropOldest(full);
      this.#changed.set(JOB_PREFIX + full.name, full);
      full = fullestJob(this.#jobs.values());
    }
  }
}

/** True for a row that `load` is for. */
export function isScheduleRow({ key }: Row): boolean {
  return key.startsWith(SCHEDULE_PREFIX) || key.startsWith(JOB_PREFIX);
}

function attempts(attempt: number): { attempts?: number } {
  return attempt === 1 ? {} : { attempts: attempt };
}
