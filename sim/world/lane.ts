/**
 * Lanes: the queues whose heads compete for the next macrotask.
 *
 * Within a lane the order is fixed, because the real world fixes it: `afterTurn` runs in the order given, a link
 * delivers in order, timers of one process fire by time. Between lanes nothing is fixed, and the seed decides.
 */

/** A macrotask to come. `undefined` once it was cleared. */
export interface Entry {
  readonly at: number;
  readonly order: number;
  task: (() => void) | undefined;
}

/** Told by a lane that it has entries, after it had none. */
export interface LaneOwner {
  filled(lane: Lane): void;
  nextOrder(): number;
}

/** A queue of macrotasks. */
export abstract class Lane {
  readonly name: string;
  protected readonly owner: LaneOwner;
  /** The owner's: whether it has this lane in its list. */
  listed = false;
  #closed = false;

  constructor(name: string, owner: LaneOwner) {
    this.name = name;
    this.owner = owner;
  }

  /** When the first entry is due; `undefined` when there is none. */
  abstract get headAt(): number | undefined;
  abstract shift(): Entry | undefined;
  protected abstract insert(entry: Entry): void;
  protected abstract empty(): void;

  /** Runs `task` at `at` or later. Nothing happens on a closed lane: its process is dead, its link cut. */
  add(at: number, task: () => void): Entry {
    const entry: Entry = { at, order: this.owner.nextOrder(), task };
    if (this.#closed) return entry;
    this.insert(entry);
    if (!this.listed) this.owner.filled(this);
    return entry;
  }

  /** Nothing that waits here will run. */
  close(): void {
    this.#closed = true;
    this.empty();
  }
}

/** First in, first out: an entry is never due before the one in front of it. */
export class FifoLane extends Lane {
  #entries: Entry[] = [];
  #first = 0;

  get headAt(): number | undefined {
    return this.#entries[this.#first]?.at;
  }

  shift(): Entry | undefined {
    const entry = this.#entries[this.#first];
    if (entry === undefined) return undefined;
    this.#first += 1;
    if (this.#first === this.#entries.length) this.empty();
    return entry;
  }

  protected insert(entry: Entry): void {
    const last = this.#entries.at(-1);
    this.#entries.push(last !== undefined && last.at > entry.at ? { ...entry, at: last.at } : entry);
  }

  protected empty(): void {
    this.#entries = [];
    this.#first = 0;
  }
}

/** By time, then in the order of setting. */
export class TimerLane extends Lane {
  /** Latest first, so that the head is taken from the end. */
  #entries: Entry[] = [];

  get headAt(): number | undefined {
    this.#dropCleared();
    return this.#entries.at(-1)?.at;
  }

  shift(): Entry | undefined {
    this.#dropCleared();
    return this.#entries.pop();
  }

  protected insert(entry: Entry): void {
    let low = 0;
    let high = this.#entries.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const other = this.#entries[middle];
      if (other !== undefined && other.at > entry.at) low = middle + 1;
      else high = middle;
    }
    this.#entries.splice(low, 0, entry);
  }

  protected empty(): void {
    this.#entries = [];
  }

  #dropCleared(): void {
    for (let last = this.#entries.at(-1); last !== undefined && last.task === undefined; ) {
      this.#entries.pop();
      last = this.#entries.at(-1);
    }
  }
}
