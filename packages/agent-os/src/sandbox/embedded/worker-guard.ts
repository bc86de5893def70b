/**
 * The thread that ends its worker, whatever that does: a shell that loops lets nothing else of its process run. It ends it when
 * the runtime is gone, which ends the socket that both have, and when the process has grown too large. While there is an operation it looks
 * again and again, and tells the runtime what it sees. It is started by URL and must import nothing that needs the package's own resolution.
 */
import { closeSync, read, writeSync } from "node:fs";
import { parentPort, workerData } from "node:worker_threads";
import { type GuardData, GuardState, LIFELINE_FD, MEMORY_SIGNAL } from "./guard-messages.ts";

/** Between two looks. */
const EVERY_MS = 50;
/**
 * The system can't tell what is held from what the engine hasn't collected yet, and nobody can make an engine collect that is in a loop. So a
 * process may have this much garbage beside what it may hold: 64 MiB of buffers, which are collected at the latest then, and what the
 * heap takes beyond its bound for new objects and while it moves old ones. What is held on the heap alone is bounded by the engine.
 */
const GARBAGE_BYTES = 96 * 1024 * 1024;

const { state: memory, memoryBytes }: GuardData = workerData;
const state = new GuardState(memory);
const use = new Float64Array(2);
let timer: NodeJS.Timeout | undefined;

/** The process as a whole, wherever its other threads are. */
function end(signal: "SIGKILL" | typeof MEMORY_SIGNAL): void {
  process.kill(process.pid, signal);
}

function look(): void {
  const { user, system } = process.cpuUsage();
  const taken = Math.max(0, process.memoryUsage.rss() - state.emptyBytes);
  use.set([taken, (user + system) / 1_000_000]);
  try {
    writeSync(LIFELINE_FD, use);
  } catch {
    // Nobody reads: who has gone is missed below.
  }
  if (taken > memoryBytes + GARBAGE_BYTES) end(MEMORY_SIGNAL);
  if (state.rest()) timer = void clearInterval(timer);
}

read(LIFELINE_FD, new Uint8Array(1), 0, 1, null, () => {
  closeSync(LIFELINE_FD);
  end("SIGKILL");
});
parentPort?.on("message", () => {
  timer ??= setInterval(look, EVERY_MS);
});
parentPort?.postMessage("ready");
