/**
 * Mailbox: memory that an isolate and its process share, so that what is short crosses the wall without being copied by the
 * engine, which costs more than a call.
 *
 *   u32 bytes said | u32 marks | said: records of the isolate's … | given: records for it …
 *
 * They never use it at once: the process touches it while the isolate isn't entered, and an isolate runs nothing between
 * entries. What the isolate says is there as soon as it is said, also by the microtasks at the end of an entry. The
 * actor's code can lay hands on the memory, for it can change the language under the guest: the process takes a copy
 * first, and reads it as a stranger's. What is too long goes by the engine's copies (`SaidRecords.overflow`).
 */
import { RecordList, RecordWriter } from "./records.ts";

/** What an isolate says of itself, in `marks`. */
export const MailboxMark = {
  /** It has to be called again: its turn has an end, or more is to be taken. */
  again: 1,
  /** It has no memory left, and can't go on. */
  exhausted: 2,
} as const;

const HEADER_BYTES = 8;
const BYTES_SAID = 0;
const MARKS = 1;

/** The parts of a mailbox. */
interface Parts {
  readonly header: Uint32Array;
  readonly said: Uint8Array;
  readonly given: Uint8Array;
}

function partsOf(memory: SharedArrayBuffer): Parts {
  const bytes = (memory.byteLength - HEADER_BYTES) / 2;
  return {
    header: new Uint32Array(memory, 0, 2),
    said: new Uint8Array(memory, HEADER_BYTES, bytes),
    given: new Uint8Array(memory, HEADER_BYTES + bytes, bytes),
  };
}

/** The process's end. */
export class ProcessMailbox {
  readonly memory: SharedArrayBuffer;
  readonly #parts: Parts;

  /** Holds so many bytes each way. */
  constructor(bytes: number) {
    this.memory = new SharedArrayBuffer(HEADER_BYTES + 2 * bytes);
    this.#parts = partsOf(this.memory);
  }

  /** Puts what waits there, and says how long it is; undefined: it is too long, and still waits. */
  give(waiting: RecordList): number | undefined {
    const { bytes } = waiting;
    if (bytes > this.#parts.given.byteLength) return undefined;
    waiting.takeInto(this.#parts.given);
    return bytes;
  }

  /** What was said since it was asked last, and the marks. Undefined: the length is none. */
  take(): { readonly said: Uint8Array; readonly marks: number } | undefined {
    const { header, said } = this.#parts;
    const bytes = header[BYTES_SAID] ?? 0;
    const marks = header[MARKS] ?? 0;
    if (bytes > said.byteLength) return undefined;
    header.fill(0);
    return { said: said.slice(0, bytes), marks };
  }
}

/** The isolate's end: what it says. Until it has its mailbox, and when that is full, records wait in its own heap. */
export class SaidRecords extends RecordWriter {
  readonly #overflow = new RecordList();
  #parts: Parts | undefined;

  attach(memory: SharedArrayBuffer): void {
    this.#parts = partsOf(memory);
    if (this.#overflow.bytes > 0) this.mark("again");
  }

  mark(mark: keyof typeof MailboxMark): void {
    const header = this.#parts?.header;
    if (header !== undefined) header[MARKS] = (header[MARKS] ?? 0) | MailboxMark[mark];
  }

  /** A copy of what was given: what reads it may keep parts of it. */
  given(bytes: number): Uint8Array {
    return this.#parts?.given.slice(0, bytes) ?? new Uint8Array(0);
  }

  /** What found no room. It was said before anything that is in the mailbox by then was. */
  overflow(): Uint8Array<ArrayBuffer> | undefined {
    return this.#overflow.bytes > 0 ? this.#overflow.take() : undefined;
  }

  protected room(bytes: number): Uint8Array {
    const { header, said } = this.#parts ?? {};
    const at = header?.[BYTES_SAID] ?? 0;
    // What came behind something that found no room waits behind it.
    if (
      header === undefined ||
      said === undefined ||
      this.#overflow.bytes > 0 ||
      bytes > said.byteLength - at
    ) {
      this.mark("again");
      return this.#overflow.room(bytes);
    }
    header[BYTES_SAID] = at + bytes;
    return said.subarray(at, at + bytes);
  }
}
