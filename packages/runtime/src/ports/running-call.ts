/**
 * What a call hands on to the calls that are made while it runs, across actors and hosts.
 *
 * The deadline and the end of its caller's wait go on to whatever it calls. So does its chain: the entries of serial actors
 * that have begun and wait for the one inside. A host makes the links; nothing that a client says becomes one.
 */

/** An entry of a serial actor that has begun. */
export interface ChainLink {
  /** Nobody else's, ever: actor, generation and number. */
  readonly entry: string;
  /** The actor, as people know it. */
  readonly actor: string;
}

/** Entries, outermost first: each waits for the next one, or may. */
export type CallChain = readonly ChainLink[];

/** Who calls, and as a part of what, where the calling code runs elsewhere. */
export interface CallOrigin {
  readonly actorId: string;
  /** The id of its namespace: it sees no other. */
  readonly namespace: string;
  readonly chain: CallChain;
  /** The scope of a relay that its code makes the call in, as JSON; empty for none. */
  readonly trace: string;
  readonly depth: number;
}

/** Told that nobody waits for a call any more, and why. */
export type Abandoned = (reason: unknown) => void;

/** The call that the running code answers. */
export interface RunningCall {
  /** When its caller gives up, monotonic; `undefined` for never, and when the call has ended. */
  readonly until: number | undefined;
  readonly chain: CallChain | undefined;
  /** How many calls of actors it is inside of; none for a call from outside. */
  readonly depth?: number | undefined;
  /** The scope that it came in, as JSON; absent for none. */
  readonly trace?: string | undefined;
  /** Calls `listener` when nobody waits for it any more: at once, when that is so. Returns what undoes it. */
  onAbandoned(listener: Abandoned): () => void;
}
