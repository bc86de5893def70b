/** The processes that a test's embedded sandboxes run in, seen from outside. */
import type { ChildProcess } from "node:child_process";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { readFileSync } from "node:fs";
import { onTestFinished } from "vitest";

/** The child processes that this test starts, as they come. */
export function startedWorkers(): ChildProcess[] {
  const workers: ChildProcess[] = [];
  const started = (message: unknown) => {
    const { process } = message as { process: ChildProcess };
    workers.push(process);
    // What it runs is known when it has been started.
    queueMicrotask(() => {
      if (!process.spawnargs.some((arg) => arg.includes("worker-main")))
        workers.splice(workers.indexOf(process), 1);
    });
  };
  subscribe("child_process", started);
  onTestFinished(() => void unsubscribe("child_process", started));
  return workers;
}

/** Those that still run. */
export const alive = (workers: readonly ChildProcess[]): ChildProcess[] =>
  workers.filter(({ exitCode, signalCode }) => exitCode === null && signalCode === null);

/** What a process has in memory; 0 when it is gone, and where that can't be looked at. */
export function residentBytes(pid: number | undefined): number {
  try {
    const [, kib = 0] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
    return Number(kib) * 1024;
  } catch {
    return 0;
  }
}
