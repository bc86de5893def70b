/** Scheduled calls and jobs as people see them, from their rows: the model of a section. */
import { limits } from "@troupe/protocol";
import type { InspectorSection } from "../ports/inspection.ts";
import type { ActorStore } from "../ports/storage.ts";
import { Job } from "./job.ts";
import { decodeOneShot } from "./one-shot.ts";
import { JOB_PREFIX, SCHEDULE_PREFIX } from "./schedule.ts";

/** `GET …/schedules`: what runs next first. Arguments are counted, not shown; of a failure the code is. */
export const scheduleSection: InspectorSection = {
  name: "schedules",
  read: async (rows) => {
    const calls = (await all(rows, SCHEDULE_PREFIX)).map(([id, value]) => {
      const { name, action, args, dueAt, attempt, failed } = decodeOneShot(id, value);
      const ended = failed && { failed: `${failed.error.group}.${failed.error.code}`, failedAt: failed.at };
      return { kind: "at", id, name, action, arguments: args.length, runAt: dueAt, attempt, ...ended };
    });
    const jobs = (await all(rows, JOB_PREFIX)).map(([name, value]) => {
      const { id, settings, nextAt, lastRunAt } = Job.decode(name, value);
      const { action, args, recurrence } = settings;
      return { kind: recurrence.kind, id, name, action, arguments: args.length, runAt: nextAt, lastRunAt };
    });
    const schedules = [...calls, ...jobs].sort((a, b) => a.runAt - b.runAt);
    return { schedules: schedules.map(said) };
  },
};

/** The rows below a prefix, by what stands behind it. */
async function all(
  rows: Pick<ActorStore, "list">,
  prefix: string,
): Promise<(readonly [rest: string, value: Uint8Array])[]> {
  const end = prefix.replace(":", ";");
  const limit = limits.schedules + limits.schedulesFailed;
  const found = await rows.list({ start: prefix, end, limit, reverse: false });
  return found.map(({ key, value }) => [key.slice(prefix.length), value]);
}

/** Without what isn't there: JSON has no `undefined`. */
function said(fields: object): object {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}
