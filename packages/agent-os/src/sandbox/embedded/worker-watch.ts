/**
 * WorkerWatch: what the workers of one sandbox use while they work for it, as their guards tell it: time of the processor and memory, each of
 * the one that uses most, and of an operation the most that it has used.
 *
 * What is over before the first telling isn't known; time counts from there. A guard ends its worker for its memory by itself, since the
 * runtime may be busy. Time is bounded here, and who has taken much of it is demoted.
 */
import { limits } from "@troupe/protocol";
import { processErrors } from "../../errors.ts";
import type { SandboxUse } from "../sandbox.ts";
import type { EmbeddedBounds } from "./bounds.ts";
import type { WorkerUse } from "./guard-messages.ts";
import type { SandboxWorker } from "./sandbox-worker.ts";

/** The most that one operation has used. */
interface Peak {
  memoryBytes: number;
  cpuSeconds: number;
}

/** Listens while something runs. */
export class WorkerWatch {
  readonly #bounds: EmbeddedBounds;
  readonly #onUse: (use: SandboxUse) => void;
  readonly #peaks = new Map<SandboxWorker, Peak>();

  constructor(bounds: EmbeddedBounds, onUse: (use: SandboxUse) => void) {
    this.#bounds = bounds;
    this.#onUse = onUse;
  }

  /** An operation begins on a worker; what this returns is called when it is over. */
  start(worker: SandboxWorker): () => void {
    const peak: Peak = { memoryBytes: 0, cpuSeconds: 0 };
    let secondsBefore: number | undefined;
    this.#peaks.set(worker, peak);
    worker.onUse = ({ memoryBytes, cpuSeconds }: WorkerUse) => {
      secondsBefore ??= cpuSeconds;
      peak.memoryBytes = Math.max(peak.memoryBytes, memoryBytes);
      peak.cpuSeconds = cpuSeconds - secondsBefore;
      this.#tell();
      if (peak.cpuSeconds >= (this.#bounds.cpuSeconds ?? Infinity))
        void worker.end(processErrors.limitExceeded("cpuSeconds"));
      else if (peak.cpuSeconds >= limits.sandboxPromptSeconds) worker.demote();
    };
    return () => {
      worker.onUse = undefined;
      this.#peaks.delete(worker);
      if (secondsBefore !== undefined) this.#tell();
    };
  }

  #tell(): void {
    for (const limit of ["cpuSeconds", "memoryBytes"] as const) {
      const most = this.#bounds[limit];
      const used = Math.max(0, ...[...this.#peaks.values()].map((peak) => peak[limit]));
      if (most !== undefined) this.#onUse({ limit, used, most });
    }
  }
}
