/**
 * Exchange: memory that the host and a plugin's thread share, and whose turn it is.
 *
 * They take turns. The host writes what goes in and gives the turn to the thread, which wakes; the thread writes what comes
 * out, gives the turn back, and the host sees it there. Neither touches anything while it hasn't the turn, so nothing
 * needs a lock, and a plugin says nothing that it wasn't asked for: a flood waits on its own side. The module itself never sees this memory: its own is another, and what crosses is copied.
 *
 * Both areas grow to the longest frame that they had to hold, and are gone with the thread.
 */

/** The control words. */
export const Word = {
  /** Whose turn it is: `Turn`. */
  turn: 0,
  /** What the thread is asked for: `Asked`. */
  asked: 1,
  /** Bytes that go in. */
  inBytes: 2,
  /** With `Asked.close`: the milliseconds that the plugin has. */
  closeMs: 3,
  /** Bytes that came out. */
  outBytes: 4,
  /** 1: the plugin has more for the host, which waits for the next turn. */
  more: 5,
  /** For how long the thread looks for its next turn before it sleeps, microseconds. */
  lookUs: 6,
} as const;

/** Whose turn it is. */
export const Turn = { host: 0, thread: 1 } as const;

/** What a turn is for. */
export const Asked = {
  /** Take in what there is, and say what there is to say. */
  frames: 0,
  /** The same, and end. */
  close: 1,
} as const;

const WORDS = 7;

/** Bytes that come out in one turn, unless one frame alone has more. */
export const TURN_BYTES = 64 * 1024;

/** The memory of one thread. Sent to it as it is. */
export interface Exchange {
  readonly words: Int32Array;
  readonly incoming: SharedArrayBuffer;
  readonly outgoing: SharedArrayBuffer;
}

/** Memory for frames of at most `frameBytes`; `batchBytes` more than one may go in at once. */
export function makeExchange(frameBytes: number, batchBytes: number): Exchange {
  const maxByteLength = Math.max(frameBytes + 4, batchBytes, TURN_BYTES);
  const area = (): SharedArrayBuffer => new SharedArrayBuffer(TURN_BYTES, { maxByteLength });
  return {
    words: new Int32Array(new SharedArrayBuffer(WORDS * Int32Array.BYTES_PER_ELEMENT)),
    incoming: area(),
    outgoing: area(),
  };
}

/** A view of the first `bytes` of an area, which is made larger where it has fewer. */
export function reserve(area: SharedArrayBuffer, bytes: number): Uint8Array<SharedArrayBuffer> {
  if (bytes > area.byteLength) area.grow(Math.min(area.maxByteLength, Math.max(bytes, area.byteLength * 2)));
  return new Uint8Array(area, 0, bytes);
}
