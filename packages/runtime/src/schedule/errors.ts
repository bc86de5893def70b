/** Errors of schedules and jobs. */
import { error } from "../new-error.ts";

/** Errors of `c.schedule` and `c.cron`, by code. */
export const scheduleErrors = {
  tooMany: (limit: number) =>
    error(429, "schedule", "too_many", `An actor can have ${limit} schedules`, { metadata: { limit } }),
  argsTooLarge: (bytes: number, limit: number) =>
    error(
      413,
      "schedule",
      "args_too_large",
      `The arguments have ${bytes} bytes encoded; the limit is ${limit}`,
      {
        metadata: { bytes, limit },
      },
    ),
  unknownAction: (action: string) =>
    error(400, "schedule", "unknown_action", `There is no action "${action}" to schedule`, {
      metadata: { action },
    }),
  invalidTime: () => error(400, "schedule", "invalid_time", "A schedule's time must be a finite number"),
  invalidName: (name: string, limit: number) =>
    error(
      400,
      "schedule",
      "invalid_name",
      `${JSON.stringify(name)} can't name a schedule: 1 to ${limit} characters, none of them a control character`,
      { metadata: { limit } },
    ),
  invalidExpression: (expression: string, reason: string, timezone?: string) =>
    error(400, "schedule", "invalid_expression", `"${expression}" names no times: ${reason}`, {
      metadata: timezone === undefined ? { expression } : { expression, timezone },
    }),
  invalidInterval: (interval: unknown) =>
    error(400, "schedule", "invalid_interval", "An interval is a whole number of milliseconds, 1 or more", {
      metadata: { interval },
    }),
  invalidOption: (option: string, expected: string) =>
    error(400, "schedule", "invalid_option", `\`${option}\` must be ${expected}`, { metadata: { option } }),
};
