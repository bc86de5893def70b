/** What callers send about cron jobs, checked: it crosses a wire, so that its types are only a hope. */
import { limits } from "@troupe/protocol";
import type { OverlapPolicy } from "@troupe/runtime";
import { agentErrors, cronErrors, sessionErrors } from "../errors.ts";
import { checkOptions } from "../sandbox/arguments.ts";
import { isSessionId } from "../sessions/session-table.ts";

/** What a job does. */
export type CronAction =
  | {
      readonly type: "exec";
      /** A line for a shell; with `args` a program. */
      readonly command: string;
      readonly args?: readonly string[];
    }
  | {
      readonly type: "session";
      /** The agent's name; default: the first. */
      readonly agentType?: string;
      readonly prompt: string;
      readonly options?: {
        /** The session that gets the prompt, made where there is none. Default: "cron-" and the job's id. */
        readonly sessionId?: string;
        readonly cwd?: string;
      };
    };

/** What `scheduleCron` takes. */
export interface CronJobOptions {
  /** Default: a new one. A job of this id is changed. */
  readonly id?: string;
  /**
   * A cron expression of five fields, or six with seconds in front; or an ISO 8601 time, for once, which is UTC unless it says otherwise
   * ("+02:00"). One that is past comes at once.
   */
  readonly schedule: string;
  readonly action: CronAction;
  /** A time that comes while a run goes on. Default "allow". */
  readonly overlap?: OverlapPolicy;
  /** Of an expression: an IANA name. Default "UTC". */
  readonly timezone?: string;
}

/** A job, as it is kept. */
export interface Job {
  readonly id: string;
  readonly schedule: string;
  readonly action: CronAction;
  readonly overlap: OverlapPolicy;
  readonly timezone?: string;
  /** When it runs, if it runs once. Wall clock, milliseconds. */
  readonly at?: number;
}

const ISO_TIME = /^\d{4}-\d{2}-\d{2}T/;
const ZONE = /(?:Z|[+-]\d{2}:?\d{2})$/i;
const jobNames: readonly (keyof CronJobOptions)[] = ["id", "schedule", "action", "overlap", "timezone"];
const actionNames: Readonly<Record<CronAction["type"], readonly string[]>> = {
  exec: ["type", "command", "args"],
  session: ["type", "agentType", "prompt", "options"],
};
const overlaps: readonly unknown[] = ["allow", "skip", "queue"];

/** `agents`: those that there are. Throws `cron.invalid`, `sandbox.unknown_option`, `session.invalid_id`, `agent.unknown`. */
export function checkJob(options: CronJobOptions, agents: readonly string[]): Job {
  if (typeof options !== "object" || options === null) throw cronErrors.invalid("a job is an object");
  checkOptions("scheduleCron", options, jobNames);
  const { id = crypto.randomUUID(), schedule, action, overlap = "allow", timezone } = options;
  if (typeof id !== "string" || id === "" || id.length > limits.cronJobIdLength)
    throw cronErrors.invalid(`id must be a text of 1 to ${limits.cronJobIdLength} characters`);
  if (typeof schedule !== "string") throw cronErrors.invalid("schedule must be a cron expression or a time");
  if (!overlaps.includes(overlap)) throw cronErrors.invalid('overlap must be "allow", "skip" or "queue"');
  checkAction(action, agents);
  const at = ISO_TIME.test(schedule)
    ? Date.parse(ZONE.test(schedule) ? schedule : `${schedule}Z`)
    : undefined;
  if (at !== undefined && timezone !== undefined)
    throw cronErrors.invalid('a time says its zone itself ("Z", "+02:00"); timezone is for expressions');
  if (Number.isNaN(at)) throw cronErrors.invalid(`schedule "${schedule}" is no time`);
  const zone = timezone === undefined ? {} : { timezone };
  return { id, schedule, action, overlap, ...zone, ...(at === undefined ? {} : { at }) };
}

function checkAction(action: CronAction, agents: readonly string[]): void {
  const texts = (list: unknown) => Array.isArray(list) && list.every((entry) => typeof entry === "string");
  if (action?.type === "exec") {
    if (typeof action.command !== "string" || !(action.args === undefined || texts(action.args)))
      throw cronErrors.invalid("an exec action has a `command`, and `args` that are texts");
    if ([action.command, ...(action.args ?? [])].some((text) => text.includes("\0")))
      throw cronErrors.invalid("a command and its `args` have no null bytes");
  } else if (action?.type !== "session" || typeof action.prompt !== "string")
    throw cronErrors.invalid('action must be { type: "exec", command } or { type: "session", prompt }');
  else checkSession(action, agents);
  checkOptions("scheduleCron", action, actionNames[action.type]);
}

function checkSession(action: CronAction & { readonly type: "session" }, agents: readonly string[]): void {
  const { agentType = agents[0] ?? "", options = {} } = action;
  if (typeof options !== "object" || options === null)
    throw cronErrors.invalid("options of a session action are an object");
  const wrong = Object.keys(options).find((name) => name !== "sessionId" && name !== "cwd");
  if (wrong !== undefined)
    throw cronErrors.invalid("options of a session action are `sessionId` and `cwd`, and nothing else");
  const { sessionId, cwd } = options;
  if (sessionId !== undefined && !isSessionId(sessionId))
    throw sessionErrors.invalidId(limits.sessionIdLength);
  if (cwd !== undefined && (typeof cwd !== "string" || !cwd.startsWith("/")))
    throw cronErrors.invalid("options.cwd must be an absolute path");
  if (!agents.includes(agentType)) throw agentErrors.unknown(agentType, agents);
}
