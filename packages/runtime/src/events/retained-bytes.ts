/**
 * RetainedBytes: how many bytes the retained events of one name have, and which of them are too many.
 *
 * What an event has is known when it is made; when it is dropped it would have to be read for it. So there are marks: at
 * the first event, and wherever a sixteenth of the limit has come since the last mark. What is too much is dropped up to
 * the next mark: never more than the limit is kept, and never less than that without one sixteenth and one event. Events
 * that an older program has made aren't counted.
 */
import { limits } from "@troupe/protocol";

const STEP = limits.retainedBytes / 16;

interface Mark {
  readonly sequence: number;
  /** All that was counted before it. */
  readonly before: number;
}

/** The bytes of one name's events. */
export class RetainedBytes {
  #total: number;
  readonly #marks: Mark[];

  /** `stored`: what {@link toValue} gave. */
  constructor(stored?: readonly unknown[]) {
    const [total = 0, ...marks] = (stored ?? []).map(Number);
    this.#total = total;
    this.#marks = [];
    for (let at = 0; at + 1 < marks.length; at += 2)
      this.#marks.push({ sequence: marks[at] ?? 0, before: marks[at + 1] ?? 0 });
  }

  /** An event was made. */
  add(sequence: number, bytes: number): void {
    const last = this.#marks.at(-1);
    if (last === undefined || this.#total - last.before >= STEP)
      this.#marks.push({ sequence, before: this.#total });
    this.#total += bytes;
  }

  /** The oldest event that is kept, when `first` is the oldest by their count: from it on there aren't too many bytes. */
  oldest(first: number): number {
    while ((this.#marks[1]?.sequence ?? Infinity) <= first) this.#marks.shift();
    while (this.#marks.length > 1 && this.#total - (this.#marks[0]?.before ?? 0) > limits.retainedBytes)
      this.#marks.shift();
    const [mark] = this.#marks;
    // The first mark ever stands behind events that aren't counted.
    return mark === undefined || mark.before === 0 ? first : Math.max(first, mark.sequence);
  }

  /** As it is stored: a few numbers. */
  toValue(): readonly number[] {
    return [this.#total, ...this.#marks.flatMap(({ sequence, before }) => [sequence, before])];
  }
}
