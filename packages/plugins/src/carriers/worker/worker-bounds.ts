/**
 * WorkerBounds: how much of the machine a worker's processes may have. Their use is looked at again and again, and the first
 * look that finds too much is the last: a bomb may go past a bound for as long as it takes until then. The kernel, when
 * it runs out of memory meanwhile, ends the worker before the host.
 */
import { writeFileSync } from "node:fs";
import { engineLimits } from "@troupe/protocol";
import type { ProcessTree } from "../processes/process-tree.ts";

/** What a worker and all that it started may have. */
export interface WorkerBounds {
  /** Default: `engineLimits.workerProcesses`. */
  readonly processes?: number;
  /** Default: `engineLimits.workerMemoryBytes`. */
  readonly memoryBytes?: number;
}

/** What it had too much of, and how much it may have. */
export interface WorkerExcess {
  readonly what: "processes" | "memory";
  readonly limit: number;
}

/** Watches a worker's processes until it is stopped. */
export class BoundsWatch {
  readonly #tree: ProcessTree;
  readonly #timer: NodeJS.Timeout;

  /** `exceeded` is called once. */
  constructor(tree: ProcessTree, bounds: WorkerBounds, exceeded: (excess: WorkerExcess) => void) {
    const { processes = engineLimits.workerProcesses, memoryBytes = engineLimits.workerMemoryBytes } = bounds;
    this.#tree = tree;
    const look = (): void => {
      const use = this.#tree.use(processes);
      const tooMany = use.processes > processes;
      if (!tooMany && use.residentBytes <= memoryBytes) return;
      clearInterval(this.#timer);
      exceeded(tooMany ? { what: "processes", limit: processes } : { what: "memory", limit: memoryBytes });
    };
    this.#timer = setInterval(look, engineLimits.workerLookMs).unref();
  }

  /** Ends all of them; the known ones stand still when it returns. */
  end(): Promise<void> {
    clearInterval(this.#timer);
    return this.#tree.end();
  }
}

/** The worker is the first that the kernel ends when memory runs out; what it starts is as well. */
export function endFirst(pid: number): void {
  try {
    writeFileSync(`/proc/${pid}/oom_score_adj`, "1000");
  } catch {
    // Not Linux, or it has ended already.
  }
}
