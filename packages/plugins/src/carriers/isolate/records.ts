/**
 * What crosses the wall of an isolate: bytes, and nothing else. Each way a list of records, `u32 length | u8 kind | body`,
 * numbers little-endian. Both sides may be given anything by the other: whoever reads checks every length.
 */

/** What a record is. */
export const RecordKind = {
  /** In: a HostFrame. Out: a PluginFrame. */
  frame: 0,
  /** In: a timer has fired. Body: its number (u32). */
  timerFired: 1,
  /** Out: set a timer. Body: its number (u32), milliseconds (f64). */
  timerSet: 2,
  /** Out: clear a timer. Body: its number (u32). */
  timerCleared: 3,
} as const;

const HEADER_BYTES = 5;

/** Writes records; where to is its heirs' to say. */
export abstract class RecordWriter {
  frame(frame: Uint8Array): void {
    this.#begin(RecordKind.frame, frame.byteLength).set(frame, HEADER_BYTES);
  }

  timerFired(timer: number): void {
    viewOf(this.#begin(RecordKind.timerFired, 4)).setUint32(HEADER_BYTES, timer, true);
  }

  timerSet(timer: number, delayMs: number): void {
    const view = viewOf(this.#begin(RecordKind.timerSet, 12));
    view.setUint32(HEADER_BYTES, timer, true);
    view.setFloat64(HEADER_BYTES + 4, delayMs, true);
  }

  timerCleared(timer: number): void {
    viewOf(this.#begin(RecordKind.timerCleared, 4)).setUint32(HEADER_BYTES, timer, true);
  }

  /** Room for one record. */
  protected abstract room(bytes: number): Uint8Array;

  #begin(kind: number, bodyBytes: number): Uint8Array {
    const record = this.room(HEADER_BYTES + bodyBytes);
    viewOf(record).setUint32(0, bodyBytes, true);
    record[4] = kind;
    return record;
  }
}

/** Collects records until they are taken. */
export class RecordList extends RecordWriter {
  #records: Uint8Array[] = [];
  #bytes = 0;

  /** Bytes that wait. */
  get bytes(): number {
    return this.#bytes;
  }

  /** All of them in one piece; nothing waits any more. */
  take(): Uint8Array<ArrayBuffer> {
    const all = new Uint8Array(this.#bytes);
    this.takeInto(all);
    return all;
  }

  /** The same, into memory with room for all of them. */
  takeInto(all: Uint8Array): void {
    let at = 0;
    for (const record of this.#records) {
      all.set(record, at);
      at += record.byteLength;
    }
    this.#records = [];
    this.#bytes = 0;
  }

  room(bytes: number): Uint8Array {
    const record = new Uint8Array(bytes);
    this.#records.push(record);
    this.#bytes += bytes;
    return record;
  }
}

/** Who is told of records. Bytes are the list's own. */
export interface RecordReader {
  frame(frame: Uint8Array): void;
  timerFired?(timer: number): void;
  timerSet?(timer: number, delayMs: number): void;
  timerCleared?(timer: number): void;
}

/** Reads a list. False when it isn't one: what came before the fault has been told. */
export function readRecords(list: Uint8Array, reader: RecordReader): boolean {
  return new RecordParts(list, reader).read(Infinity) === "end";
}

/** Reads a list a part at a time: whoever reads what others say has more to do than that. */
export class RecordParts {
  readonly #list: Uint8Array;
  readonly #view: DataView;
  readonly #reader: RecordReader;
  #at = 0;

  constructor(list: Uint8Array, reader: RecordReader) {
    this.#list = list;
    this.#view = viewOf(list);
    this.#reader = reader;
  }

  /** Tells at most so many records: whether there are more, or it is no list from here on. */
  read(most: number): "more" | "end" | "broken" {
    for (let told = 0; this.#at < this.#list.byteLength; told += 1) {
      if (told === most) return "more";
      if (!this.#next()) return "broken";
    }
    return "end";
  }

  #next(): boolean {
    const left = this.#list.byteLength - this.#at - HEADER_BYTES;
    if (left < 0) return false;
    const length = this.#view.getUint32(this.#at, true);
    if (length > left) return false;
    const kind = this.#view.getUint8(this.#at + 4);
    const start = this.#at + HEADER_BYTES;
    this.#at = start + length;
    return readRecord(kind, this.#list.subarray(start, this.#at), this.#reader);
  }
}

function readRecord(kind: number, body: Uint8Array, reader: RecordReader): boolean {
  const view = viewOf(body);
  switch (kind) {
    case RecordKind.frame:
      reader.frame(body);
      return true;
    case RecordKind.timerFired:
      if (body.byteLength !== 4) return false;
      reader.timerFired?.(view.getUint32(0, true));
      return true;
    case RecordKind.timerSet:
      if (body.byteLength !== 12) return false;
      reader.timerSet?.(view.getUint32(0, true), view.getFloat64(4, true));
      return true;
    case RecordKind.timerCleared:
      if (body.byteLength !== 4) return false;
      reader.timerCleared?.(view.getUint32(0, true));
      return true;
    default:
      return false;
  }
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
