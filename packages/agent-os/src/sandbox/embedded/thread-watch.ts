/**
 * ThreadWatch: what the threads that work for one sandbox use, looked at again and again while they do: time of the processor and heap, each of
 * the one that uses most.
 *
 * A thread answers in the middle of a loop. One that can't (it collects garbage, it ends) answers late or never: nobody waits for it, and it is
 * asked nothing more until it has. What is over before the first look isn't looked at; time counts from there. The engine
 * bounds the heap, and ends a thread whose heap is full; time is bounded here, and who has taken much of it is demoted.
 */
import { Worker } from "node:worker_threads";
import { limits } from "@troupe/protocol";
import { processErrors } from "../../errors.ts";
import type { SandboxUse } from "../sandbox.ts";
import type { EmbeddedBounds } from "./bounds.ts";
import type { SandboxThread } from "./sandbox-thread.ts";

/** Between two looks. */
const EVERY_MS = 100;
/** Since Node 24.6. */
const canTellTime = "cpuUsage" in Worker.prototype;

/** What is known of one operation's use. */
class Use {
  #last: number | undefined;
  #asking = false;

  get last(): number {
    return this.#last ?? 0;
  }

  get wasSeen(): boolean {
    return this.#last !== undefined;
  }

  /** Asks, unless there is no answer yet to the last time. */
  async ask(question: () => Promise<number>, answered: (used: number) => void): Promise<void> {
    if (this.#asking) return;
    this.#asking = true;
    try {
      this.#last = await question();
      answered(this.#last);
    } catch {
      // The thread has ended.
    } finally {
      this.#asking = false;
    }
  }
}

/** An operation that runs on a thread. */
interface Run {
  readonly cpuSeconds: Use;
  readonly memoryBytes: Use;
}

/** Looks while something runs. */
export class ThreadWatch {
  readonly #bounds: EmbeddedBounds;
  readonly #onUse: (use: SandboxUse) => void;
  readonly #runs = new Map<SandboxThread, Run>();
  #timer: NodeJS.Timeout | undefined;

  constructor(bounds: EmbeddedBounds, onUse: (use: SandboxUse) => void) {
    this.#bounds = bounds;
    this.#onUse = onUse;
  }

  /** An operation begins on a thread; what this returns is called when it is over. */
  start(thread: SandboxThread): () => void {
    const run = { cpuSeconds: new Use(), memoryBytes: new Use() };
    this.#runs.set(thread, run);
    this.#timer ??= setInterval(() => this.#look(), EVERY_MS).unref();
    return () => {
      this.#runs.delete(thread);
      if (this.#runs.size === 0) {
        clearInterval(this.#timer);
        this.#timer = undefined;
      }
      for (const limit of ["cpuSeconds", "memoryBytes"] as const) if (run[limit].wasSeen) this.#tell(limit);
    };
  }

  #look(): void {
    const { cpuSeconds: most } = this.#bounds;
    for (const [thread, run] of this.#runs) {
      void run.memoryBytes.ask(
        () => thread.heapBytes(),
        () => this.#tell("memoryBytes"),
      );
      if (!canTellTime) continue;
      void run.cpuSeconds.ask(
        () => thread.cpuSeconds(),
        (used) => {
          this.#tell("cpuSeconds");
          if (this.#runs.get(thread) !== run) return;
          if (used >= (most ?? Infinity)) void thread.end(processErrors.limitExceeded("cpuSeconds"));
          else if (used >= limits.sandboxPromptSeconds) thread.demote();
        },
      );
    }
  }

  #tell(limit: keyof Run): void {
    const most = this.#bounds[limit];
    const used = Math.max(0, ...[...this.#runs.values()].map((run) => run[limit].last));
    if (most !== undefined) this.#onUse({ limit, used, most });
  }
}
