/** Somebody who follows a session, and what they have heard. */
import { type Entry, type SubscribeOptions, subscribe } from "@troupe/agent-os/client";

type Connection = Parameters<typeof subscribe>[0];

interface Waiting {
  readonly sequence: number;
  readonly reached: () => void;
}

export class Reader {
  readonly entries: Entry[] = [];
  /** Settles when the loop has ended; rejects with what it threw. */
  readonly done: Promise<void>;
  readonly #waiting: Waiting[] = [];

  constructor(conn: Connection, options: SubscribeOptions) {
    this.done = this.#follow(conn, options);
    this.done.catch(() => undefined);
  }

  get sequences(): number[] {
    return this.entries.map((entry) => entry.sequence);
  }

  /** Settles when the event of this sequence was heard. */
  reaches(sequence: number): Promise<void> {
    if ((this.entries.at(-1)?.sequence ?? 0) >= sequence) return Promise.resolve();
    return Promise.race([
      new Promise<void>((reached) => this.#waiting.push({ sequence, reached })),
      this.done.then(() => Promise.reject(new Error(`ended before ${sequence}: ${this.sequences.join()}`))),
    ]);
  }

  async #follow(conn: Connection, options: SubscribeOptions): Promise<void> {
    for await (const entry of subscribe(conn, options)) {
      this.entries.push(entry);
      for (const { sequence, reached } of this.#waiting) if (entry.sequence >= sequence) reached();
    }
  }
}

/** 1, 2, 3 … n. */
export function upTo(n: number): number[] {
  return Array.from({ length: n }, (_, index) => index + 1);
}
