/**
 * Watch: what all processes of a sandbox use together, looked at again and again while any runs.
 *
 * Memory is what processes hold that isn't in a file: each process by itself is bounded by the kernel (`prlimit`), all together are
 * bounded here: past the limit the largest one is ended, and who started it is told why. So are files: the kernel bounds their bytes, and how
 * many there are is bounded here.
 */
import { readdirSync, readFileSync, statfsSync } from "node:fs";
import type { WatchedLimit } from "./messages.ts";

/** Between two looks. */
const EVERY_MS = 100;

/** What is bounded. */
export interface WatchLimits {
  readonly memoryBytes: number;
  readonly files: number;
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
}

/** Looks while there is something to look at. */
export class Watch {
  readonly #parts: WatchParts;
  #timer: NodeJS.Timeout | undefined;

  constructor(parts: WatchParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#timer ??= setInterval(() => this.look(), EVERY_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.look();
  }

  look(): void {
    const { limits, onUse, onExceeded } = this.#parts;
    const { blocks, bfree, bsize, files, ffree } = statfsSync("/");
    onUse("fileBytes", (blocks - bfree) * bsize);
    const all = readdirSync("/proc").flatMap(usedBy);
    const [largest] = all.toSorted((a, b) => b.bytes - a.bytes);
    const memory = all.reduce((sum, { bytes }) => sum + bytes, 0);
    onUse("memoryBytes", memory);
    onUse("files", files - ffree);
    if (largest === undefined) return;
    if (memory > limits.memoryBytes) onExceeded("memoryBytes", largest.session, largest.pid);
    if (files - ffree > limits.files) for (const { session, pid } of all) onExceeded("files", session, pid);
  }
}

/** Nothing for what isn't a process, has gone, or is the supervisor or its parent. */
function usedBy(name: string): Used[] {
  const pid = Number(name);
  if (!(pid > 2)) return [];
  try {
    const status = readFileSync(`/proc/${pid}/status`, "latin1");
    const bytes = (kilobytes(status, "RssAnon") + kilobytes(status, "RssShmem")) * 1024;
    return [{ pid, session: Number(/^NSsid:\s+(\d+)/m.exec(status)?.[1] ?? 0), bytes }];
  } catch {
    return [];
  }
}

function kilobytes(status: string, name: string): number {
  return Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(status)?.[1] ?? 0);
}
