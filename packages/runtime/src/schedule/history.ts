/**
 * What became of the runs of an actor's jobs: a row for each run, which no wake loads.
 *
 * A job counts its rows, so that the row that goes when another comes is known without reading: to write history costs no
 * reads, also where the disk is elsewhere. All jobs together have a limit; past it the job with most rows loses its oldest.
 */
import { decodeCbor, encodeCbor, limits } from "@troupe/protocol";
import type { ActorStore, MaybePromise, Row, RowChange } from "../ports/storage.ts";
import { andThen, listOver } from "../storage/overlay.ts";
import { readFailure, type ScheduleFailure } from "./failure.ts";
import type { Job } from "./job.ts";
import { RowFields } from "./row-fields.ts";

/** Rows of the history have keys with this prefix. */
export const HISTORY_PREFIX = "~h:";

/** A run of a job. RivetKit's shape, with the number of tries. */
export interface CronFire {
  readonly action: string;
  readonly scheduledAt: number;
  readonly firedAt: number;
  readonly finishedAt?: number;
  /** `skipped`: no run was made for this time. */
  readonly result: "running" | "ok" | "error" | "skipped";
  readonly error?: ScheduleFailure;
  /** Tries so far; absent for one. */
  readonly attempts?: number;
}

/** The history of one activation's jobs. */
export class History {
  readonly #stored: Pick<ActorStore, "read" | "list">;
  #open = new Map<string, Uint8Array | null>();

  constructor(stored: Pick<ActorStore, "read" | "list">) {
    this.#stored = stored;
  }

  /** A new row. Returns its place; `undefined` when the job keeps no history. The job's row must be stored as well. */
  add(job: Job, fire: CronFire): number | undefined {
    if (job.settings.maxHistory === 0) return undefined;
    const place = job.historyNext;
    job.historyNext += 1;
    this.put(job, place, fire);
    this.trim(job);
    return place;
  }

  /** Changes a row, if it is still there. */
  put(job: Job, place: number, fire: CronFire): void {
    if (place >= job.historyFrom) this.#open.set(keyOf(job.name, place), encodeCbor(fire));
  }

  /** Drops what is more than the job keeps. */
  trim(job: Job): void {
    const keep = job.settings.maxHistory;
    while (job.historyNext - job.historyFrom > keep) this.dropOldest(job);
  }

  dropOldest(job: Job): void {
    this.#open.set(keyOf(job.name, job.historyFrom), null);
    job.historyFrom += 1;
  }

  /** The newest `limit` runs of a job, newest first. */
  list(name: string, limit: number): MaybePromise<CronFire[]> {
    const start = `${HISTORY_PREFIX}${name}\0`;
    const range = { start, end: `${HISTORY_PREFIX}${name}\x01`, limit, reverse: true };
    return andThen(listOver(this.#open, this.#stored, range), (rows) => rows.map(readFire));
  }

  take(into: RowChange[]): void {
    if (this.#open.size === 0) return;
    for (const [key, value] of this.#open) into.push({ key, value });
    this.#open = new Map();
  }
}

/** The job whose oldest row goes: the one with most of them, while all together are too many. */
export function fullestJob(jobs: Iterable<Job>): Job | undefined {
  let rows = 0;
  let fullest: Job | undefined;
  for (const job of jobs) {
    const own = job.historyNext - job.historyFrom;
    rows += own;
    if (fullest === undefined || own > fullest.historyNext - fullest.historyFrom) fullest = job;
  }
  return rows > limits.scheduleHistoryRows ? fullest : undefined;
}

/** A name holds no control characters: none is another one's beginning. */
function keyOf(name: string, place: number): string {
  return `${HISTORY_PREFIX}${name}\0${String(place).padStart(16, "0")}`;
}

function readFire({ value }: Row): CronFire {
  const row = new RowFields(decodeCbor(value));
  const result = row.text("result");
  const finishedAt = row.optionalNumber("finishedAt");
  const error = row.fields("error");
  const attempts = row.optionalNumber("attempts");
  return {
    action: row.text("action"),
    scheduledAt: row.number("scheduledAt"),
    firedAt: row.number("firedAt"),
    ...(finishedAt === undefined ? {} : { finishedAt }),
    result: result === "ok" || result === "error" || result === "skipped" ? result : "running",
    ...(error === undefined ? {} : { error: readFailure(error) }),
    ...(attempts === undefined ? {} : { attempts }),
  };
}
