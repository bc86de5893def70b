/**
 * Job: a call that comes again and again, under a name.
 *
 * Its row holds when it runs next, and its open runs: those that were due and haven't ended. A time that comes leaves
 * `nextAt` and becomes an open run in the turn in which its action begins, so that a crash loses neither: a run that was
 * cut off is open, and begins again; a time that had come and was not seen is found behind `nextAt`.
 *
 * Which of several times that have come become runs is the missed-run policy's matter (`skip`, `one`, `all`); what becomes of
 * a run while another one is open, the overlap policy's (`skip`, `queue`, `allow`).
 */
import { encodeCbor, limits } from "@troupe/protocol";
import { scheduleErrors } from "./errors.ts";
import { readRetry } from "./one-shot.ts";
import { type Recurrence, Times } from "./recurrence.ts";
import { type Retry, retryDelayMs } from "./retry.ts";
import { RowFields } from "./row-fields.ts";

/** What becomes of a time that comes while a run of the job is open: left out, run behind it, or run beside it. */
export type OverlapPolicy = "skip" | "queue" | "allow";

/** What becomes of times that passed unseen: none is made up for, the last one, or all (up to a limit). */
export type MissedRunPolicy = "skip" | "one" | "all";

/** What a job is set to. */
export interface JobSettings {
  readonly action: string;
  readonly args: readonly unknown[];
  readonly recurrence: Recurrence;
  readonly overlap: OverlapPolicy;
  readonly missed: MissedRunPolicy;
  readonly retry: Retry;
  readonly maxHistory: number;
}

/** A run that was due and hasn't ended. */
export interface Run {
  readonly scheduledAt: number;
  /** When it may begin: behind a failure later than it was due. */
  dueAt: number;
  /** Which try comes next, or goes on; from 1. */
  attempt: number;
  /** Its place in the history, once it has begun. */
  history: number | undefined;
}

/** Times that came, and what became of them. */
export interface Came {
  readonly runs: readonly Run[];
  /** Times that no run was made for, the last `limits.scheduleCatchUp` of them. */
  readonly skipped: readonly number[];
}

/** A time is missed when it is seen later than this: a timer that rings in time, and a wake, take less. */
const LATE_MS = 60_000;

/** A job of one activation. */
export class Job {
  readonly id: string;
  readonly name: string;
  settings: JobSettings;
  nextAt: number;
  lastRunAt: number | undefined;
  /** The newest time that a run was made for, or left out. */
  lastTime: number | undefined;
  readonly runs: Run[] = [];
  /** The history has the rows from here … */
  historyFrom = 0;
  /** … to here, without this one. */
  historyNext = 0;
  #times: Times;

  constructor(id: string, name: string, settings: JobSettings, now: number) {
    this.id = id;
    this.name = name;
    this.settings = settings;
    this.#times = new Times(settings.recurrence);
    this.nextAt = this.#times.after(now);
  }

  /** Other settings. Its times go on as they were, unless it is to run at other times. */
  change(settings: JobSettings, now: number): void {
    const times = new Times(settings.recurrence);
    if (!sameTimes(this.settings.recurrence, settings.recurrence)) {
      this.nextAt = times.after(now);
      this.lastTime = undefined;
    }
    this.#times = times;
    this.settings = settings;
  }

  /** When something of it is to begin, or must be seen to again after a crash. */
  get wakeAt(): number {
    return this.runs.reduce((earliest, run) => Math.min(earliest, run.dueAt), this.nextAt);
  }

  /** Times that have come become runs. Nothing has changed when it returns `undefined`. */
  come(now: number): Came | undefined {
    const setBack = this.#setBack(now);
    if (this.nextAt > now) return setBack ? { runs: [], skipped: [] } : undefined;
    const { times, next } = this.#times.due(this.nextAt, now, limits.scheduleCatchUp);
    this.nextAt = next;
    this.lastTime = times.at(-1);
    const due = this.#unmissed(times, now);
    const taken = this.#beside(due);
    for (const scheduledAt of taken) {
      this.runs.push({ scheduledAt, dueAt: scheduledAt, attempt: 1, history: undefined });
    }
    const runs = this.runs.slice(this.runs.length - taken.length);
    return { runs, skipped: times.filter((time) => !taken.includes(time)) };
  }

  /** Runs that may begin, of those that `isRunning` doesn't know. */
  ready(now: number, isRunning: (run: Run) => boolean): Run[] {
    const { overlap } = this.settings;
    if (overlap === "allow") return this.runs.filter((run) => run.dueAt <= now && !isRunning(run));
    const [first] = this.runs;
    return first !== undefined && first.dueAt <= now && !isRunning(first) ? [first] : [];
  }

  /** When `ready` has something again, if nothing ends before. */
  readyAt(isRunning: (run: Run) => boolean): number {
    const { overlap } = this.settings;
    const candidates = overlap === "allow" ? this.runs : this.runs.slice(0, 1);
    return candidates.reduce(
      (earliest, run) => (isRunning(run) ? earliest : Math.min(earliest, run.dueAt)),
      this.nextAt,
    );
  }

  /** A try of a run failed. True when it is tried again: before the job's next time, or never. */
  retry(run: Run, now: number): boolean {
    const delayMs = retryDelayMs(this.settings.retry, run.attempt);
    if (delayMs === undefined || now + delayMs >= this.nextAt) return false;
    run.attempt += 1;
    run.dueAt = Math.max(run.scheduledAt, now + delayMs);
    return true;
  }

  end(run: Run): void {
    const index = this.runs.indexOf(run);
    if (index !== -1) this.runs.splice(index, 1);
  }

  encode(): Uint8Array {
    const { id, settings, nextAt, lastRunAt, lastTime, runs, historyFrom, historyNext } = this;
    return encodeCbor({
      id,
      ...settings,
      nextAt,
      ...(lastRunAt === undefined ? {} : { lastRunAt }),
      ...(lastTime === undefined ? {} : { lastTime }),
      runs: runs.map(({ history, ...run }) => (history === undefined ? run : { ...run, history })),
      historyFrom,
      historyNext,
    });
  }

  /** Throws `storage.corrupt`. */
  static decode(name: string, bytes: Uint8Array): Job {
    const row = RowFields.of(bytes);
    const job = new Job(row.text("id"), name, readSettings(row), 0);
    job.nextAt = row.number("nextAt");
    job.lastRunAt = row.optionalNumber("lastRunAt");
    job.lastTime = row.optionalNumber("lastTime");
    job.historyFrom = row.number("historyFrom");
    job.historyNext = row.number("historyNext");
    job.runs.push(...row.list("runs").map((value) => readRun(new RowFields(value))));
    return job;
  }

  /** The wall clock was set back behind a time that has been: its times begin again, lest it waits for them for years. */
  #setBack(now: number): boolean {
    if (this.lastTime === undefined || this.lastTime <= now + LATE_MS) return false;
    this.lastTime = undefined;
    this.nextAt = Math.min(this.nextAt, this.#times.after(now));
    return true;
  }

  #unmissed(times: readonly number[], now: number): readonly number[] {
    switch (this.settings.missed) {
      case "all":
        return times;
      case "one":
        return times.slice(-1);
      case "skip":
        return times.slice(-1).filter((time) => now - time <= LATE_MS);
    }
  }

  #beside(due: readonly number[]): readonly number[] {
    if (this.runs.length === 0 || this.settings.overlap === "allow") {
      return due.slice(0, Math.max(0, limits.scheduleOpenRuns - this.runs.length));
    }
    // One waits behind the one that runs; of those that come meanwhile it is the first.
    return this.settings.overlap === "queue" && this.runs.length === 1 ? due.slice(0, 1) : [];
  }
}

function sameTimes(a: Recurrence, b: Recurrence): boolean {
  if (a.kind === "cron" && b.kind === "cron")
    return a.expression === b.expression && a.timezone === b.timezone;
  return a.kind === "every" && b.kind === "every" && a.interval === b.interval;
}

function readSettings(row: RowFields): JobSettings {
  const recurrence = row.fields("recurrence");
  const kind = recurrence?.text("kind");
  return {
    action: row.text("action"),
    args: row.list("args"),
    recurrence:
      recurrence === undefined || kind === "every"
        ? { kind: "every", interval: recurrence?.number("interval") ?? 0 }
        : { kind: "cron", expression: recurrence.text("expression"), timezone: recurrence.text("timezone") },
    overlap: overlapPolicy(row.text("overlap")),
    missed: missedRunPolicy(row.text("missed")),
    retry: readRetry(row),
    maxHistory: row.number("maxHistory"),
  };
}

function readRun(row: RowFields): Run {
  return {
    scheduledAt: row.number("scheduledAt"),
    dueAt: row.number("dueAt"),
    attempt: row.number("attempt"),
    history: row.optionalNumber("history"),
  };
}

/** Throws `schedule.invalid_option`. */
export function overlapPolicy(value: string): OverlapPolicy {
  if (value === "skip" || value === "queue" || value === "allow") return value;
  throw scheduleErrors.invalidOption("overlap", '"skip", "queue" or "allow"');
}

/** Throws `schedule.invalid_option`. */
export function missedRunPolicy(value: string): MissedRunPolicy {
  if (value === "skip" || value === "one" || value === "all") return value;
  throw scheduleErrors.invalidOption("missed", '"skip", "one" or "all"');
}
