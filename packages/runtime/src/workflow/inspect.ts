/** Workflows as people see them: those that go on first, then those that have ended; and the history of one. */
import type { InspectorSection } from "../ports/inspection.ts";
import { decodeEntry, type Entry } from "./entry.ts";
import { ACTIVE, ENDED, endOf, historyOf, readable } from "./location.ts";
import { decodeRecord, type WorkflowRecord } from "./record.ts";

/** `GET …/workflows?after=&limit=`: workflows, by state and id; `next` where there are more. */
export const workflowSection: InspectorSection = {
  name: "workflows",
  part: "workflow",
  read: async (rows, { limit, after }) => {
    // Those that go on and those that have ended are neighbours, with nothing but histories behind them.
    const start = after === undefined ? ACTIVE : `${after}\0`;
    const found = await rows.list({ start, end: endOf(ENDED), limit: limit + 1, reverse: false });
    const shown = found.slice(0, limit);
    const workflows = shown.map(({ key, value }) => ofRecord(decodeRecord(key, value)));
    const last = found.length > limit ? shown.at(-1) : undefined;
    return last === undefined ? { workflows } : { workflows, next: last.key };
  },
};

/** `GET …/workflow-history?prefix=<id>&after=&limit=`: entries of one workflow, by their places; its results are counted. */
export const workflowHistorySection: InspectorSection = {
  name: "workflow-history",
  part: "workflow",
  read: async (rows, { limit, after, prefix = "" }) => {
    const history = historyOf(prefix);
    const start = after === undefined ? history : `${history}${after}\0`;
    const found = await rows.list({ start, end: endOf(history), limit: limit + 1, reverse: false });
    const entries = found.slice(0, limit).map(({ key, value }) => ({
      location: readable(key.slice(history.length)),
      bytes: value.byteLength,
      ...ofEntry(decodeEntry(key, value)),
    }));
    const last = found.length > limit ? found[limit - 1] : undefined;
    return last === undefined ? { entries } : { entries, next: last.key.slice(history.length) };
  },
};

function ofRecord({ id, workflow, state, error, createdAt, endedAt }: WorkflowRecord): object {
  return {
    id,
    workflow,
    state,
    createdAt,
    ...(endedAt === undefined ? {} : { endedAt }),
    ...(error === undefined ? {} : { error: error.message }),
  };
}

/** What is shown of an entry: how it stands, not what is in it. */
function ofEntry(entry: Entry): object {
  const { kind } = entry;
  switch (kind) {
    case "step": {
      const { status, attempts, at, error, rolledBackAt } = entry;
      return {
        kind,
        status,
        attempts,
        at,
        ...(error === undefined ? {} : { error: error.message }),
        ...(rolledBackAt === undefined ? {} : { rolledBackAt }),
      };
    }
    case "message": {
      const { until, messages } = entry;
      return { kind, until, messages: messages?.map(({ id, name }) => ({ id, queue: name })) ?? null };
    }
    case "loop":
      return { kind, round: entry.round, done: entry.done };
    case "race":
      return { kind, branches: entry.branches, winner: entry.winner };
    case "child":
      return { kind, id: entry.id, workflow: entry.workflow, done: entry.outcome !== null };
    default:
      return entry;
  }
}
