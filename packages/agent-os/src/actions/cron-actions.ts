/** Cron jobs, for callers. */
import type { CronJobOptions, Job } from "../cron/arguments.ts";
import {
  type CronEvent,
  type CronPlace,
  cancelCronJob,
  listCronJobs,
  runCronJob,
  scheduleCron,
} from "../cron/cron-jobs.ts";
import { checkProcess } from "../processes/arguments.ts";
import { ToolCalls, type ToolRunner } from "../sessions/tool-calls.ts";
import type { Place } from "./place.ts";

/** What a run needs of its context. */
export interface RunningPlace extends Place, ToolRunner {
  broadcast(name: "cronEvent", event: CronEvent): void;
}

/** What is done at times. */
export const cronActions = {
  /** Runs a command or gives a prompt at the times of a cron expression, or once at a time. Kept on disk. */
  scheduleCron: (c: CronPlace & Place, options: CronJobOptions) =>
    scheduleCron(c, options, c.vars.sessions.agents),
  listCronJobs: (c: CronPlace) => listCronJobs(c),
  cancelCronJob: (c: CronPlace, id: string) => cancelCronJob(c, id),
  /** What the schedules call; no client may. */
  runCronJob: (c: RunningPlace, job: Job) =>
    runCronJob(
      {
        broadcast: (name, event) => c.broadcast(name, event),
        exec: async (command, args) => {
          const [program, argv] = args === undefined ? ["sh", ["-c", command]] : [command, args];
          const process = await c.vars.processes.spawn(checkProcess(program, argv));
          return (await process.exited).exitCode;
        },
        prompt: async (jobId, { agentType, prompt, options = {} }) => {
          const sessionId = options.sessionId ?? `cron-${jobId}`;
          const { cwd } = options;
          const { sessions } = c.vars;
          await sessions.open(sessionId, {
            ...(agentType === undefined ? {} : { agent: agentType }),
            ...(cwd === undefined ? {} : { cwd }),
          });
          await sessions.prompt(sessionId, [{ type: "text", text: prompt }], undefined, ToolCalls.of(c));
        },
      },
      job,
    ),
};
