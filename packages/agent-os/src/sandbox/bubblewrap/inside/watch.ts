/**
 * Watch: what the processes of a sandbox use together, looked at again and again while there is any, also one that nobody asked for.
 *
 * Memory is what processes hold that isn't in a file: each process by itself is bounded by the kernel (`prlimit`), all together are
 * bounded here: past the limit the largest one is ended, and who started it is told why. So are files: the kernel bounds their bytes, and how
 * many there are is bounded here. Past that limit everybody is ended while they become more, and nobody while they become fewer: who is to
 * remove them has a command for it. Of processes and threads, which the kernel bounds, it is told how many there are.
 *
 * Time on the processor is a session's: that of what was started, and of all that it started. The kernel counts for each process alone, and
 * whoever forks begins anew. A process that ends is counted by the parent that waits for it; of one that nobody waits for what was seen last counts.
 */
import { readdirSync, readFileSync, type StatsFs, statfsSync } from "node:fs";
import { Demotion } from "./demotion.ts";
import type { WatchedLimit } from "./messages.ts";

/** Between two looks. */
const EVERY_MS = 100;
/** What /proc counts time in, on every Linux. */
const TICKS_PER_SECOND = 100;

/** What is bounded. */
export interface WatchLimits {
  readonly memoryBytes: number;
  readonly files: number;
  /** Of one session; undefined: no end. */
  readonly cpuSeconds?: number | undefined;
}

/** Who is told. */
export interface WatchParts {
  readonly limits: WatchLimits;
  /** What is used now. */
  readonly onUse: (limit: WatchedLimit, used: number) => void;
  /** The process that leads this session is to be ended. */
  readonly onExceeded: (limit: WatchedLimit, session: number, pid: number) => void;
}

interface Used {
  readonly pid: number;
  readonly session: number;
  readonly bytes: number;
  readonly threads: number;
  /** Its first thread runs, or would if it had a processor. */
  readonly runs: boolean;
  /** Of its own threads, in what /proc counts time in. */
  readonly ticks: number;
  readonly leadsTerminal: boolean;
  /** Its own, and that of its children that have ended. */
  readonly cpuSeconds: number;
}

/** Looks while there is something to look at. */
export class Watch {
  readonly #parts: WatchParts;
  /** Of each session, the most that was seen. */
  readonly #cpuSeconds = new Map<number, number>();
  readonly #demotion = new Demotion();
  /** How many there were at the last look. */
  #files = 0;
  #timer: NodeJS.Timeout | undefined;
  #needed = false;

  constructor(parts: WatchParts) {
    this.#parts = parts;
  }

  /** Something runs. */
  start(): void {
    this.#needed = true;
    // What was made by whoever doesn't run any more is not what this one makes.
    if (this.#timer === undefined) this.#files = filesOf(statfsSync("/"));
    this.#timer ??= setInterval(() => this.look(), EVERY_MS);
  }

  /** All that was started has ended; what it has left behind, in sessions of their own, is looked at until it ends, too. */
  stop(): void {
    this.#needed = false;
    this.look();
  }

  look(): void {
    const { limits, onUse, onExceeded } = this.#parts;
    const root = statfsSync("/");
    onUse("fileBytes", (root.blocks - root.bfree) * root.bsize);
    const [before, files] = [this.#files, filesOf(root)];
    this.#files = files;
    const all = readdirSync("/proc").flatMap(usedBy);
    const [largest] = all.toSorted((a, b) => b.bytes - a.bytes);
    const memory = all.reduce((sum, { bytes }) => sum + bytes, 0);
    onUse("memoryBytes", memory);
    onUse("files", files);
    onUse(
      "tasks",
      all.reduce((sum, { threads }) => sum + threads, ownTasks()),
    );
    this.#lookAtTime(all);
    this.#demotion.look(all);
    if (largest === undefined) {
      if (!this.#needed) this.#end();
      return;
    }
    if (memory > limits.memoryBytes) onExceeded("memoryBytes", largest.session, largest.pid);
    if (files > Math.max(limits.files, before))
      for (const { session, pid } of all) onExceeded("files", session, pid);
  }

  #lookAtTime(all: readonly Used[]): void {
    const { limits, onUse, onExceeded } = this.#parts;
    if (limits.cpuSeconds === undefined) return;
    const now = Map.groupBy(all, ({ session }) => session);
    for (const session of this.#cpuSeconds.keys()) if (!now.has(session)) this.#cpuSeconds.delete(session);
    for (const [session, processes] of now) {
      const sum = processes.reduce((seconds, { cpuSeconds }) => seconds + cpuSeconds, 0);
      const used = Math.max(sum, this.#cpuSeconds.get(session) ?? 0);
      this.#cpuSeconds.set(session, used);
      if (used >= limits.cpuSeconds) for (const { pid } of processes) onExceeded("cpuSeconds", session, pid);
    }
    onUse("cpuSeconds", Math.max(0, ...this.#cpuSeconds.values()));
  }

  #end(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}

function filesOf({ files, ffree }: StatsFs): number {
  return files - ffree;
}

/** Nothing for what isn't a process, has gone, or is the supervisor or its parent. */
function usedBy(name: string): Used[] {
  const pid = Number(name);
  if (!(pid > 2)) return [];
  try {
    const status = readFileSync(`/proc/${pid}/status`, "latin1");
    const bytes = (kilobytes(status, "RssAnon") + kilobytes(status, "RssShmem")) * 1024;
    const session = Number(/^NSsid:\s+(\d+)/m.exec(status)?.[1] ?? 0);
    const threads = Number(/^Threads:\s+(\d+)/m.exec(status)?.[1] ?? 1);
    const runs = /^State:\s+R/m.test(status);
    return [{ pid, session, bytes, threads, runs, ...statOf(pid) }];
  } catch {
    return [];
  }
}

/** The supervisor's threads, and its parent: the limit counts them, too. */
function ownTasks(): number {
  return readdirSync("/proc/self/task").length + 1;
}

function kilobytes(status: string, name: string): number {
  return Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(status)?.[1] ?? 0);
}

/** Time in the kernel and out of it: its own, and with that of children that were waited for. */
function statOf(pid: number): Pick<Used, "ticks" | "cpuSeconds" | "leadsTerminal"> {
  const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  // Its name may have anything in it, also brackets and spaces.
  const fields = stat
    .slice(stat.lastIndexOf(")") + 2)
    .split(" ")
    .map(Number);
  const [session, terminal] = fields.slice(3, 5);
  const [user = 0, system = 0, childrensUser = 0, childrensSystem = 0] = fields.slice(11, 15);
  const ticks = user + system;
  const cpuSeconds = (ticks + childrensUser + childrensSystem) / TICKS_PER_SECOND;
  return { ticks, cpuSeconds, leadsTerminal: session === pid && terminal !== 0 };
}
