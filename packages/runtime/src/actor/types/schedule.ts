/**
 * `c.schedule` and `c.cron`: calls that an actor makes to itself later. Names and shapes are RivetKit's; what is ours
 * beside them says so.
 */
import type { ScheduleFailure } from "../../schedule/failure.ts";
import type { CronFire } from "../../schedule/history.ts";
import type { MissedRunPolicy, OverlapPolicy } from "../../schedule/job.ts";
import type { RetryPolicy } from "../../schedule/retry.ts";

export type { CronFire, MissedRunPolicy, OverlapPolicy, RetryPolicy, ScheduleFailure };

/** The name of an action: its own, or its place in a group, with a dot. */
export type ActionName<N extends string> = N | `${N}.${string}`;

/**
 * Calls that this actor makes to itself later. Kept on disk; wakes the actor. Names are those of the definition's actions;
 * for the types of their arguments see `ScheduleOf`.
 */
export interface Schedule<N extends string = string> {
  /** Calls `action` in `delayMs`. Resolves to the schedule's id. */
  after(delayMs: number, action: ActionName<N>, ...args: unknown[]): Promise<string>;
  /** Calls `action` at a wall-clock time, milliseconds since 1970. Resolves to the schedule's id. */
  at(timestamp: number, action: ActionName<N>, ...args: unknown[]): Promise<string>;
  /** As `at` and `after`, with a name, or with tries. Resolves to the schedule's id. Ours. */
  set(options: ScheduleSetOptions<N>): Promise<string>;
  /** True when the schedule was there and will not fire any more; also ends one that failed and is kept. */
  cancel(id: string): Promise<boolean>;
  /** A call that failed waits again: for `at`, or from now on. False when there is none with this id. Ours. */
  retry(id: string, options?: { readonly at?: number }): Promise<boolean>;
  get(id: string): Promise<ScheduledCall | undefined>;
  /** In the order of their times, with those that failed. */
  list(): Promise<ScheduledCall[]>;
}

/** What `c.schedule.set` takes: `at`, or `delayMs`. */
export interface ScheduleSetOptions<N extends string = string> {
  /** Becomes the schedule's id. There is one with a name: a new one takes the other's place. */
  readonly name?: string;
  /** Wall clock, milliseconds since 1970. */
  readonly at?: number;
  /** From now on. */
  readonly delayMs?: number;
  readonly action: ActionName<N>;
  readonly args?: readonly unknown[];
  readonly retry?: RetryPolicy;
}

/** One call to come, or one that failed. */
export interface ScheduledCall {
  readonly id: string;
  readonly action: string;
  readonly args: unknown[];
  /** Wall clock, milliseconds. */
  readonly runAt: number;
  readonly name?: string;
  /** Present when it has failed and isn't tried any more. */
  readonly failed?: ScheduledFailure;
}

/** The end of a call that failed. */
export interface ScheduledFailure {
  readonly error: ScheduleFailure;
  /** Wall clock, milliseconds. */
  readonly at: number;
  readonly attempts: number;
}

/** The last argument of a scheduled action. */
export interface ScheduledFireInfo {
  readonly kind: "at" | "cron" | "every";
  readonly id: string;
  readonly name?: string;
  /** The time that it was planned for. */
  readonly scheduledAt: number;
  readonly firedAt: number;
  /** Which try it is; absent for the first. Ours. */
  readonly attempt?: number;
}

/** How a job goes about its runs. Ours. */
export interface CronPolicies {
  /** A time that comes while a run goes on. Default "skip". */
  readonly overlap?: OverlapPolicy;
  /** Times that passed while nothing of the actor could run. Default "one". */
  readonly missed?: MissedRunPolicy;
  /** A run that fails. It isn't tried past the job's next time. */
  readonly retry?: RetryPolicy;
}

/** What `c.cron.set` takes. */
export interface ActorCronSetOptions<N extends string = string> extends CronPolicies {
  readonly name: string;
  /** Five fields, or six with seconds in front. */
  readonly expression: string;
  readonly action: ActionName<N>;
  readonly args?: readonly unknown[];
  /** An IANA name. Default "UTC". */
  readonly timezone?: string;
  /** Runs that are kept in the history. Default 100, at most 1,000; 0: none. */
  readonly maxHistory?: number;
}

/** What `c.cron.every` takes. */
export interface ActorCronEveryOptions<N extends string = string> extends CronPolicies {
  readonly name: string;
  /** Milliseconds, 1 or more. */
  readonly interval: number;
  readonly action: ActionName<N>;
  readonly args?: readonly unknown[];
  /** Runs that are kept in the history. Default 100, at most 1,000; 0: none. */
  readonly maxHistory?: number;
}

/** Calls that this actor makes to itself again and again, each under a name. Kept on disk; they wake the actor. */
export interface ActorCron<N extends string = string> {
  /**
   * Runs `action` at the times of a cron expression. A job with this name is changed: its times go on as they were,
   * unless these are others.
   */
  set(options: ActorCronSetOptions<N>): Promise<void>;
  /** Runs `action` each `interval`, the first time when one has passed. As `set`, it changes a job that is there. */
  every(options: ActorCronEveryOptions<N>): Promise<void>;
  get(name: string): Promise<CronJobInfo | undefined>;
  /** In the order of their next times. */
  list(): Promise<CronJobInfo[]>;
  /** Ends a job, with its history. True when it was there. */
  delete(name: string): Promise<boolean>;
  /** What became of a job's runs, newest first. */
  history(name: string, options?: { readonly limit?: number }): Promise<CronFire[]>;
}

/** A job. */
export type CronJobInfo = {
  readonly name: string;
  readonly action: string;
  readonly args: unknown[];
  readonly nextRunAt: number;
  readonly lastRunAt?: number;
  readonly maxHistory: number;
  readonly overlap: OverlapPolicy;
  readonly missed: MissedRunPolicy;
} & (
  | { readonly kind: "cron"; readonly expression: string; readonly timezone: string }
  | { readonly kind: "every"; readonly interval: number }
);
