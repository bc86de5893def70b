/**
 * The threads that a sandbox thread starts, as `js-exec` does: what they take of the processor is the sandbox's, and nobody outside sees them.
 */
import { subscribe } from "node:diagnostics_channel";
import { Worker } from "node:worker_threads";

/** Between two looks. */
const EVERY_MS = 100;

/** Tells, while there are such threads, how many seconds all that there ever were have taken together. */
export function tellInnerTime(tell: (seconds: number) => void): void {
  const running = new Map<Worker, number>();
  let ended = 0;
  let timer: NodeJS.Timeout | undefined;
  const look = async (worker: Worker) => {
    const { user, system } = await worker.cpuUsage();
    if (!running.has(worker)) return;
    running.set(worker, (user + system) / 1_000_000);
    tell([...running.values()].reduce((sum, seconds) => sum + seconds, ended));
  };
  subscribe("worker_threads", (message) => {
    const worker = typeof message === "object" && message !== null && "worker" in message && message.worker;
    if (!(worker instanceof Worker)) return;
    running.set(worker, 0);
    timer ??= setInterval(() => {
      // One that has just ended has nothing to say.
      for (const inner of running.keys()) look(inner).catch(() => undefined);
    }, EVERY_MS).unref();
    worker.once("exit", () => {
      ended += running.get(worker) ?? 0;
      running.delete(worker);
      if (running.size > 0) return;
      clearInterval(timer);
      timer = undefined;
    });
  });
}
