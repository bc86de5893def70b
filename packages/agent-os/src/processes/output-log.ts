/**
 * OutputLog: what one process printed, kept for who reads it later.
 *
 * Each piece has a number: 1, 2, 3 … without a gap. What is told live is a copy of it; a reader who was away asks for what is
 * behind the last number that it has. The log is bounded: of a process that prints more its end is kept, and a reader that
 * asks for what is gone is told so.
 */
import { limits } from "@troupe/protocol";
import type { ProcessStream } from "../sandbox/process.ts";

/** A piece of a process's output: what a listener of `processOutput` gets. */
export interface ProcessOutput {
  readonly pid: number;
  readonly stream: ProcessStream;
  readonly data: Uint8Array;
  /** 1, 2, 3 … for each process, over both streams. */
  readonly sequence: number;
}

/** A part of a process's output, oldest first. */
export interface ProcessOutputPage {
  readonly events: readonly ProcessOutput[];
  /** For the next `after`. */
  readonly nextCursor: number;
  /** True when there is more already. */
  readonly hasMore: boolean;
  /** True when pieces behind `after` are not kept any more. */
  readonly truncated: boolean;
  /** True when the process has ended and nothing comes any more. */
  readonly end: boolean;
}

/** The end of a process's output. */
export class OutputLog {
  readonly #pid: number;
  #kept: ProcessOutput[] = [];
  #bytes = 0;
  #sequence = 0;

  constructor(pid: number) {
    this.#pid = pid;
  }

  /** Keeps what was printed, in pieces, and gives them. */
  *append(stream: ProcessStream, data: Uint8Array): Generator<ProcessOutput> {
    for (let from = 0; from < data.byteLength; from += limits.processChunkBytes) {
      this.#sequence += 1;
      // A copy: a piece doesn't keep the rest in memory.
      const piece = data.slice(from, from + limits.processChunkBytes);
      const output = { pid: this.#pid, stream, data: piece, sequence: this.#sequence };
      this.#keep(output);
      yield output;
    }
  }

  page(after: number, limit: number): Omit<ProcessOutputPage, "end"> {
    const first = this.#kept[0]?.sequence ?? this.#sequence + 1;
    const start = Math.max(after + 1 - first, 0);
    const events = this.#kept.slice(start, start + limit);
    const nextCursor = events.at(-1)?.sequence ?? Math.min(after, this.#sequence);
    return { events, nextCursor, hasMore: nextCursor < this.#sequence, truncated: after + 1 < first };
  }

  #keep(output: ProcessOutput): void {
    this.#kept.push(output);
    this.#bytes += output.data.byteLength;
    let gone = 0;
    for (const { data } of this.#kept) {
      if (this.#bytes <= limits.processReplayBytes && this.#kept.length - gone <= limits.processReplayEvents)
        break;
      this.#bytes -= data.byteLength;
      gone += 1;
    }
    if (gone > 0) this.#kept = this.#kept.slice(gone);
  }
}
