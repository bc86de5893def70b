/** The history of an actor's jobs has a limit for all of them together. */
import { limits } from "@troupe/protocol";
import { expect, test } from "vitest";
import type { RowChange } from "../../src/ports/storage.ts";
import { fullestJob, History } from "../../src/schedule/history.ts";
import { Job } from "../../src/schedule/job.ts";
import { noRetry } from "../../src/schedule/retry.ts";

test("past the limit for all jobs the one with most rows loses its oldest", () => {
  const history = new History({ read: () => [], list: () => [] });
  const jobs = Array.from({ length: 11 }, (_, index) => {
    const recurrence = { kind: "every", interval: 1 } as const;
    const settings = {
      action: "a",
      args: [],
      recurrence,
      retry: noRetry,
      maxHistory: limits.scheduleHistory,
    };
    return new Job(`${index}`, `job${index}`, { ...settings, overlap: "skip", missed: "one" }, 0);
  });
  const rows = () => jobs.reduce((sum, job) => sum + job.historyNext - job.historyFrom, 0);
  for (let round = 0; round < limits.scheduleHistory; round += 1) {
    for (const job of jobs) {
      history.add(job, { action: "a", scheduledAt: round, firedAt: round, result: "ok" });
      for (let full = fullestJob(jobs); full !== undefined; full = fullestJob(jobs)) history.dropOldest(full);
    }
  }
  expect(rows()).toBe(limits.scheduleHistoryRows);
  const stored = new Map<string, Uint8Array>();
  const changes: RowChange[] = [];
  history.take(changes);
  for (const { key, value } of changes) if (value !== null) stored.set(key, value);
  expect(stored.size).toBe(limits.scheduleHistoryRows);
  for (const job of jobs) expect(job.historyNext - job.historyFrom).toBeGreaterThan(900);
});
