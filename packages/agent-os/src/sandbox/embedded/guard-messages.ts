/** What a worker's guard (`worker-guard.ts`), the worker and the runtime know of each other. */

/** The descriptor of a worker on which messages go. */
export const LINE_FD = 3;

/** The descriptor that stays open as long as the runtime lives. The guard tells on it what its process uses. */
export const LIFELINE_FD = 4;

/** The signal that a worker ends itself with when it takes too much memory. Nothing else sends it. */
export const MEMORY_SIGNAL = "SIGUSR2";

/** What a process has used. On the lifeline: both, as doubles. */
export interface WorkerUse {
  /** What it holds more than one that has only loaded its shell. */
  readonly memoryBytes: number;
  /** Since it began. */
  readonly cpuSeconds: number;
}

/** The bytes of one telling. */
export const USE_BYTES = 16;

/** What a guard is started with. */
export interface GuardData {
  readonly state: SharedArrayBuffer;
  readonly memoryBytes: number;
}

const MIB = 1024 * 1024;
const [EMPTY, WORKS, LOOKS] = [0, 1, 2];

/**
 * What both threads of a worker see: whether it works, whether its guard looks. A guard whose worker rests rests, too; it is woken when the
 * next operation begins, unless it still looks.
 */
export class GuardState {
  readonly #cells: Int32Array;

  constructor(memory = new SharedArrayBuffer(12)) {
    this.#cells = new Int32Array(memory);
  }

  get memory(): SharedArrayBuffer {
    const { buffer } = this.#cells;
    if (!(buffer instanceof SharedArrayBuffer)) throw new RangeError("Both see it");
    return buffer;
  }

  /** What the process holds without any work. Without end until that is known: nothing is too much. */
  get emptyBytes(): number {
    return (Atomics.load(this.#cells, EMPTY) || Infinity) * MIB;
  }

  set emptyBytes(bytes: number) {
    Atomics.store(this.#cells, EMPTY, Math.ceil(bytes / MIB));
  }

  /** The worker begins an operation. True when somebody has to wake the guard. */
  begin(): boolean {
    Atomics.store(this.#cells, WORKS, 1);
    return Atomics.exchange(this.#cells, LOOKS, 1) === 0;
  }

  /** The operation is over. */
  end(): void {
    Atomics.store(this.#cells, WORKS, 0);
  }

  /** The guard has looked. True when it may rest: there is no operation, and the next one will wake it. */
  rest(): boolean {
    if (Atomics.load(this.#cells, WORKS) === 1) return false;
    Atomics.store(this.#cells, LOOKS, 0);
    // One that began in between has seen a guard that looks.
    return Atomics.load(this.#cells, WORKS) === 0 || Atomics.exchange(this.#cells, LOOKS, 1) === 1;
  }
}
