/** `c.cron`: what it is given is checked here, and what it gives is a copy. */
import { cloneValue, limits } from "@troupe/protocol";
import { scheduleErrors } from "../../schedule/errors.ts";
import type { CronFire } from "../../schedule/history.ts";
import { type Job, missedRunPolicy, overlapPolicy } from "../../schedule/job.ts";
import type { Recurrence } from "../../schedule/recurrence.ts";
import { parseRetry } from "../../schedule/retry.ts";
import type {
  ActorCron,
  ActorCronEveryOptions,
  ActorCronSetOptions,
  CronJobInfo,
} from "../types/schedule.ts";
import { checkAction, checkScheduleName, type Scheduling, told } from "./schedule-api.ts";

/** `c.cron` of one activation. */
export class CronApi implements ActorCron {
  readonly #activation: Scheduling;

  constructor(activation: Scheduling) {
    this.#activation = activation;
  }

  set(options: ActorCronSetOptions): Promise<void> {
    const { expression, timezone = "UTC" } = options;
    return this.#told(() => this.#set(options, { kind: "cron", expression, timezone }));
  }

  every(options: ActorCronEveryOptions): Promise<void> {
    return this.#told(() => this.#set(options, { kind: "every", interval: options.interval }));
  }

  get(name: string): Promise<CronJobInfo | undefined> {
    return this.#told(() => {
      const job = this.#activation.schedules.job(name);
      return job === undefined ? undefined : publicJob(job);
    });
  }

  list(): Promise<CronJobInfo[]> {
    return this.#told(() => this.#activation.schedules.jobs().map(publicJob));
  }

  delete(name: string): Promise<boolean> {
    return this.#told(() => this.#activation.schedules.deleteJob(name));
  }

  history(name: string, options: { readonly limit?: number } = {}): Promise<CronFire[]> {
    return this.#told(() => {
      const { limit = limits.scheduleHistory } = options;
      if (!Number.isInteger(limit) || limit < 1) {
        throw scheduleErrors.invalidOption("limit", "a whole number, 1 or more");
      }
      // Other names' rows are out of its reach: a name that can't be has none.
      checkScheduleName(name);
      return this.#activation.schedules.history(name, Math.min(limit, limits.scheduleHistory));
    });
  }

  #told<R>(work: () => R | Promise<R>): Promise<R> {
    return told(this.#activation, "c.cron", work);
  }

  #set(options: ActorCronSetOptions | ActorCronEveryOptions, recurrence: Recurrence): void {
    checkKeys(options, recurrence.kind);
    const { name, action, args = [], maxHistory = limits.defaultScheduleHistory } = options;
    checkScheduleName(name);
    checkAction(this.#activation, action);
    if (!Number.isInteger(maxHistory) || maxHistory < 0 || maxHistory > limits.scheduleHistory) {
      throw scheduleErrors.invalidOption("maxHistory", `a whole number, 0 to ${limits.scheduleHistory}`);
    }
    const { overlap = "skip", missed = "one", retry } = options;
    this.#activation.schedules.setJob(name, {
      action,
      args,
      recurrence,
      overlap: overlapPolicy(overlap),
      missed: missedRunPolicy(missed),
      retry: parseRetry(retry),
      maxHistory,
    });
  }
}

const sharedKeys = ["name", "action", "args", "maxHistory", "overlap", "missed", "retry"];

/** A word that is misspelt would be left out in silence. */
function checkKeys(options: object, kind: Recurrence["kind"]): void {
  const known = [...sharedKeys, ...(kind === "cron" ? ["expression", "timezone"] : ["interval"])];
  const unknown = Object.keys(options).find((key) => !known.includes(key));
  if (unknown !== undefined) throw scheduleErrors.invalidOption(unknown, `one of ${known.join(", ")}`);
}

function publicJob({ name, settings, nextAt, lastRunAt }: Job): CronJobInfo {
  const { action, args, recurrence, maxHistory, overlap, missed } = settings;
  return {
    name,
    action,
    args: args.map((value) => cloneValue(value)),
    nextRunAt: nextAt,
    ...(lastRunAt === undefined ? {} : { lastRunAt }),
    maxHistory,
    overlap,
    missed,
    ...recurrence,
  };
}
