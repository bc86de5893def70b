/**
 * CheckpointThreads: the slow disk work of actors' own files. Many of them close at once, at a stop or behind a burst, and
 * each is two syncs of its own: a few threads at a time, whose syncs the disk does together.
 *
 * A further thread is started when all there are have a queue: most processes need one. A file keeps its thread while that
 * has it open.
 */
import type { CheckpointRequest, CheckpointResult } from "../checkpoint-messages.ts";
import { CheckpointThread } from "../checkpoint-thread.ts";

const THREADS = 4;
/** So many files are a queue. */
const QUEUE = 8;

interface Lane {
  readonly thread: CheckpointThread;
  waiting: number;
}

/** A few threads that move logs into their files. */
export class CheckpointThreads {
  readonly #lanes: Lane[] = [];
  readonly #byPath = new Map<string, Lane>();
  #stopped = false;

  /** As the thread's own: rejects when SQLite refused; the file is as good as before. */
  async run(path: string, kind: CheckpointRequest["kind"]): Promise<CheckpointResult> {
    if (this.#stopped) throw new Error("the checkpoint threads ended");
    const lane = this.#byPath.get(path) ?? this.#shortest();
    this.#byPath.set(path, lane);
    lane.waiting += 1;
    try {
      return await lane.thread.run(path, kind);
    } finally {
      lane.waiting -= 1;
      if (kind === "close" || kind === "forget") this.#byPath.delete(path);
    }
  }

  /** Ends the threads; what comes now is refused. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#lanes.map(({ thread }) => thread.stop()));
  }

  #shortest(): Lane {
    let shortest: Lane | undefined;
    for (const lane of this.#lanes) {
      if (shortest === undefined || lane.waiting < shortest.waiting) shortest = lane;
    }
    if (shortest !== undefined && (shortest.waiting < QUEUE || this.#lanes.length === THREADS))
      return shortest;
    const lane: Lane = { thread: new CheckpointThread(), waiting: 0 };
    this.#lanes.push(lane);
    return lane;
  }
}
