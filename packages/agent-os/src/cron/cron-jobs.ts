/**
 * Cron jobs of a workspace: commands and prompts that the actor gives itself, at the times of an expression or once.
 *
 * They are the actor's own schedules: on disk from the turn that made them, and each wakes the actor. What a run does and how it
 * ended is told as `cronEvent`; a run that failed is a failed run of the schedule, too.
 */
import { TroupeError } from "@troupe/base";
import type { ActorCron, OverlapPolicy, Schedule } from "@troupe/runtime";
import { cronErrors } from "../errors.ts";
import { type CronAction, type CronJobOptions, checkJob, type Job } from "./arguments.ts";

/** What jobs are kept under: a program's own schedules have other names. */
const PREFIX = "agent-os:";
/** The action that a schedule calls. */
const RUN = "runCronJob";

/** A job, as `listCronJobs` tells it. */
export interface CronJobSummary {
  readonly id: string;
  /** A cron expression, or the time of a job that runs once. */
  readonly schedule: string;
  readonly action: CronAction;
  readonly overlap: OverlapPolicy;
  readonly nextRun: Date;
  readonly lastRun?: Date;
}

/** What a listener of `cronEvent` gets. */
export interface CronEvent {
  readonly type: "cron:fire" | "cron:complete" | "cron:error";
  readonly jobId: string;
  readonly time: Date;
  /** Of a run that is complete. */
  readonly durationMs?: number;
  /** Of a command that is complete. */
  readonly exitCode?: number;
  /** Why it failed, `group.code: text`. */
  readonly error?: string;
}

/** What jobs need of their actor. */
export interface CronPlace {
  readonly cron: Pick<ActorCron, "set" | "list" | "delete">;
  readonly schedule: Pick<Schedule, "set" | "list" | "cancel">;
}

/** What a run needs. */
export interface CronRunner {
  broadcast(name: "cronEvent", event: CronEvent): void;
  /** Runs a command to its end; resolves to its exit code. */
  exec(command: string, args: readonly string[] | undefined): Promise<number>;
  /** Gives the job's agent its prompt. */
  prompt(jobId: string, action: CronAction & { readonly type: "session" }): Promise<void>;
}

/** Makes a job, or changes the one of its id. Rejects with `cron.invalid`, `schedule.*`, `session.invalid_id`, `agent.unknown`. */
export async function scheduleCron(
  { cron, schedule }: CronPlace,
  options: CronJobOptions,
  agents: readonly string[],
) {
  const job = checkJob(options, agents);
  const name = PREFIX + job.id;
  // Behind the new one goes what had this id and was of the other kind.
  if (job.at !== undefined) {
    await schedule.set({ name, at: job.at, action: RUN, args: [job] });
    await cron.delete(name);
  } else {
    const { schedule: expression, overlap, timezone } = job;
    const zone = timezone === undefined ? {} : { timezone };
    await cron.set({ name, expression, action: RUN, args: [job], overlap, ...zone });
    await schedule.cancel(name);
  }
  return { id: job.id };
}

/** In the order of their next times. */
export async function listCronJobs({ cron, schedule }: CronPlace): Promise<CronJobSummary[]> {
  const recurring = (await cron.list()).map(({ name, args, nextRunAt, lastRunAt }) => {
    const last = lastRunAt === undefined ? {} : { lastRun: new Date(lastRunAt) };
    return { name, args, nextRunAt, last };
  });
  const once = (await schedule.list()).flatMap(({ name = "", args, runAt, failed }) =>
    failed === undefined ? [{ name, args, nextRunAt: runAt, last: {} }] : [],
  );
  return [...recurring, ...once]
    .filter(({ name }) => name.startsWith(PREFIX))
    .sort((a, b) => a.nextRunAt - b.nextRunAt)
    .map(({ args, nextRunAt, last }) => {
      // Its arguments are what `scheduleCron` gave it.
      const { id, schedule: times, action, overlap } = args[0] as Job;
      return { id, schedule: times, action, overlap, nextRun: new Date(nextRunAt), ...last };
    });
}

/** Ends a job; what runs goes on. Rejects with `cron.not_found`. */
export async function cancelCronJob(place: CronPlace, id: string): Promise<void> {
  const name = PREFIX + String(id);
  const [recurring, once] = [await place.cron.delete(name), await place.schedule.cancel(name)];
  if (!recurring && !once) throw cronErrors.notFound(id);
}

/** One run. Rejects with what it failed with. */
export async function runCronJob(runner: CronRunner, job: Job): Promise<void> {
  const { id: jobId, action } = job;
  const started = new Date();
  runner.broadcast("cronEvent", { type: "cron:fire", jobId, time: started });
  try {
    const ended = action.type === "exec" ? { exitCode: await runner.exec(action.command, action.args) } : {};
    if (action.type === "session") await runner.prompt(jobId, action);
    const time = new Date();
    const durationMs = time.getTime() - started.getTime();
    runner.broadcast("cronEvent", { type: "cron:complete", jobId, time, durationMs, ...ended });
  } catch (cause) {
    const error = TroupeError.is(cause) ? `${cause.group}.${cause.code}: ${cause.message}` : String(cause);
    runner.broadcast("cronEvent", { type: "cron:error", jobId, time: new Date(), error });
    throw cause;
  }
}
