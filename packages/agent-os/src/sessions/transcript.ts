/**
 * Transcript: what happened, in order, on disk. It is the truth of every session; what listeners are told live is a copy.
 *
 * Each stream (a session, or the sandbox) has events 1, 2, 3 … without a gap. An event's number is given by the append that
 * stores it. Events lie in pages, each a top-level property of the actor's state, so that an append writes one page and not
 * the whole transcript. Written in the turn of the append, they go to disk with the batch of that turn, and nothing that is
 * said behind the append leaves before.
 */
import { limits } from "@troupe/protocol";
import type { Entry, EntryPage, EntryRange } from "../session-entry.ts";

/** Events of one page: few enough that writing it again for each of them costs little. */
const PAGE_EVENTS = 16;

/** The name of a page. */
export type PageName = `events ${number} ${string}`;

/** The part of the actor's state that holds transcripts. */
export interface TranscriptState {
  /** The last sequence of each stream. */
  lastSequences: Record<string, number>;
  [page: PageName]: unknown[];
}

/** Transcripts over an actor's state. */
export class Transcript {
  readonly #state: () => TranscriptState;

  constructor(state: () => TranscriptState) {
    this.#state = state;
  }

  /** Stores an event as the stream's next; resolves to its sequence. */
  async append(stream: string, event: unknown): Promise<number> {
    const state = this.#state();
    const sequence = (state.lastSequences[stream] ?? 0) + 1;
    const page = pageOf(stream, sequence);
    if (state[page] === undefined) state[page] = [event];
    else state[page].push(event);
    state.lastSequences[stream] = sequence;
    return sequence;
  }

  /** The last sequence of a stream; 0 when it has none. */
  async lastSequence(stream: string): Promise<number> {
    return this.#state().lastSequences[stream] ?? 0;
  }

  /** Events of a stream behind `after`, oldest first: as many as fit in an answer, one at least where there is one. */
  async page(range: Required<EntryRange>): Promise<EntryPage> {
    const { sessionId, after, limit } = range;
    const last = await this.lastSequence(sessionId);
    const events: Entry[] = [];
    let bytes = 0;
    for (let sequence = after + 1; sequence <= last && events.length < limit; sequence += 1) {
      const event = this.#state()[pageOf(sessionId, sequence)]?.[(sequence - 1) % PAGE_EVENTS];
      bytes += JSON.stringify(event).length;
      if (events.length > 0 && bytes > limits.sessionPageBytes) break;
      events.push({ sessionId, event, sequence } as Entry);
    }
    return { events, hasMore: (events.at(-1)?.sequence ?? last) < last };
  }

  /** Forgets a stream. */
  async remove(stream: string): Promise<void> {
    const state = this.#state();
    const last = state.lastSequences[stream] ?? 0;
    for (let sequence = 1; sequence <= last; sequence += PAGE_EVENTS) delete state[pageOf(stream, sequence)];
    delete state.lastSequences[stream];
  }
}

function pageOf(stream: string, sequence: number): PageName {
  return `events ${Math.floor((sequence - 1) / PAGE_EVENTS)} ${stream}`;
}
