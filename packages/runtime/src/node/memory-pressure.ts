/**
 * Whether this process is close to its heap's limit: then idle actors sleep early, and new activations wait.
 */
import { getHeapStatistics } from "node:v8";

/** The share of the heap's limit past which memory is short. */
const WATERMARK = 0.85;
/** Statistics are read at most this often: reading them costs as much as waking an actor. */
const SAMPLE_MS = 500;

/** What is read of the heap, bytes. */
interface Heap {
  readonly used_heap_size: number;
  readonly heap_size_limit: number;
}

/** Looks at the heap, now and then. */
export class MemoryPressure {
  readonly #read: () => Heap;
  #sampledAt = Number.NEGATIVE_INFINITY;
  #short = false;

  /** `read`: the heap as it is now. Default: this process's. */
  constructor(read: () => Heap = getHeapStatistics) {
    this.#read = read;
  }

  /** True when memory is past the watermark. `now`: monotonic, ms. */
  short(now: number): boolean {
    if (now - this.#sampledAt >= SAMPLE_MS) {
      const { used_heap_size: used, heap_size_limit: limit } = this.#read();
      this.#short = used > limit * WATERMARK;
      this.#sampledAt = now;
    }
    return this.#short;
  }
}
