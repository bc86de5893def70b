/**
 * The thread that ends a helper process, see `helper-main.ts`: when the runtime is gone, which ends the descriptor that
 * both have, and when the process has grown too large. It must import nothing that needs the package's own resolution: it
 * is started by URL.
 */
import { read } from "node:fs";
import { parentPort, workerData } from "node:worker_threads";

const LIFELINE_FD = 3;
const LOOK_MS = 50;

const { memoryBytes }: { readonly memoryBytes: number } = workerData;

function end(signal: "SIGKILL" | "SIGUSR2"): void {
  // The process as a whole, wherever its other thread is.
  process.kill(process.pid, signal);
}

read(LIFELINE_FD, new Uint8Array(1), 0, 1, null, () => end("SIGKILL"));
setInterval(() => {
  if (process.memoryUsage.rss() > memoryBytes) end("SIGUSR2");
}, LOOK_MS);
parentPort?.postMessage("ready");
