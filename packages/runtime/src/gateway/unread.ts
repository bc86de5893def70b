/**
 * What clients leave unread, all together.
 *
 * Each socket has a limit of its own; without one for all of them, a few hundred clients that stop reading are enough to
 * fill the memory of a process, each within its limit. A session tells of its own backlog whenever it sends. What a
 * client reads in between is noticed at its next message, or when the total is reached: then every session is looked
 * at, and if it is true, those with the largest backlogs are closed until a quarter of the room is free again.
 */
import { limits } from "@troupe/protocol";

/** A session, as far as its backlog is concerned. */
export interface Reader {
  /** Looks at what its client has left unread, and tells the total. Bytes. */
  look(): number;
  /** Its backlog is among the largest of too much: it ends. */
  relieve(): void;
}

/** A look at every session is worth its price only after this much more was sent. */
const LOOK_AGAIN_BYTES = limits.gatewayUnreadBytes / 16;
/** What may stay once sessions had to be closed. */
const RELIEVED_BYTES = (limits.gatewayUnreadBytes / 4) * 3;

/** The unread bytes of all sessions of one gateway. */
export class UnreadTotal {
  readonly #readers: ReadonlySet<Reader>;
  #bytes = 0;
  #lookAt: number = limits.gatewayUnreadBytes;
  #looking = false;

  constructor(readers: ReadonlySet<Reader>) {
    this.#readers = readers;
  }

  /** A session's backlog has grown, or shrunk. */
  add(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes > this.#lookAt && !this.#looking) this.#look();
  }

  #look(): void {
    this.#looking = true;
    try {
      this.#relieve();
    } finally {
      this.#looking = false;
    }
    this.#lookAt = Math.max(limits.gatewayUnreadBytes, this.#bytes + LOOK_AGAIN_BYTES);
  }

  #relieve(): void {
    const backlogs = [...this.#readers].map((reader) => ({ reader, bytes: reader.look() }));
    if (this.#bytes <= limits.gatewayUnreadBytes) return;
    backlogs.sort((a, b) => b.bytes - a.bytes);
    for (const { reader } of backlogs) {
      if (this.#bytes <= RELIEVED_BYTES) return;
      reader.relieve();
    }
  }
}
