/**
 * Transcript: what happened, in order, on disk. It is the truth of every session; what listeners are told live is a copy.
 *
 * Each stream (a session, or the sandbox) has events 1, 2, 3 … without a gap. An event is a row of the actor's database,
 * and its number is given by the statement that stores it; the table has no place for a second event of the same number.
 * A stream that is forgotten leaves its last number, as a row without an event: one of the same name goes on behind it, so that who
 * still follows the old one hears of all that the new one has.
 * A row goes to disk with the batch of the turn that wrote it, and nothing that is said behind the append leaves before.
 */
import { assert } from "@troupe/base";
import { limits } from "@troupe/protocol";
import type { DatabaseAccess } from "@troupe/runtime";
import type { Entry, EntryPage, EntryRange, HistoryPage } from "../session-entry.ts";

/** Runs on every start of an actor: what is there already stays. */
const SCHEMA = `
  CREATE TABLE IF NOT EXISTS session_events (
    session_id TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    event TEXT NOT NULL,
    PRIMARY KEY (session_id, sequence)
  ) STRICT, WITHOUT ROWID`;

const APPEND = `
  INSERT INTO session_events (session_id, sequence, event)
  VALUES (:stream, (SELECT ifnull(max(sequence), 0) + 1 FROM session_events WHERE session_id = :stream), :event)
  RETURNING sequence`;

const EXTEND = `
  UPDATE session_events SET event = event || :event WHERE session_id = :stream AND sequence = :sequence`;

const SIZES = `
  SELECT sequence, octet_length(event) AS bytes FROM session_events
  WHERE session_id = :sessionId AND sequence > :after AND octet_length(event) > 0 ORDER BY sequence LIMIT :limit`;

const EVENTS = `
  SELECT sequence, event FROM session_events
  WHERE session_id = :sessionId AND sequence > :after AND sequence <= :last AND octet_length(event) > 0 ORDER BY sequence`;

const SIZES_BEFORE = `
  SELECT sequence, octet_length(event) AS bytes FROM session_events
  WHERE session_id = :sessionId AND sequence < :before AND octet_length(event) > 0 ORDER BY sequence DESC LIMIT :limit`;

const FORGET = `
  DELETE FROM session_events WHERE session_id = :stream AND sequence < (
    SELECT max(sequence) FROM session_events WHERE session_id = :stream)`;

const EMPTY_LAST = "UPDATE session_events SET event = '' WHERE session_id = :stream";

/** Characters of an event that one statement takes: three bytes each at most, and the name of the stream beside them. */
const PIECE = Math.floor(limits.sqlBoundBytes / 4);

/** The newest events of a stream, or those before one. */
export interface RangeBefore {
  readonly sessionId: string;
  readonly before: number | undefined;
  readonly limit: number;
}

/** Makes the table: for `onMigrate`. */
export async function migrateTranscript(database: DatabaseAccess): Promise<void> {
  await database.execute(SCHEMA);
}

/** Transcripts in an actor's database. */
export class Transcript {
  readonly #database: DatabaseAccess;

  constructor(database: DatabaseAccess) {
    this.#database = database;
  }

  /** Stores an event as the stream's next; resolves to its sequence. When it rejects nothing is stored. */
  async append(stream: string, event: unknown): Promise<number> {
    const [first = "", ...rest] = pieces(JSON.stringify(event));
    if (rest.length === 0) return await insert(this.#database, stream, first);
    return await this.#database.transaction(async (tx) => {
      const sequence = await insert(tx, stream, first);
      for (const piece of rest) await tx.execute(EXTEND, { stream, sequence, event: piece });
      return sequence;
    });
  }

  /** Events of a stream behind `after`, oldest first: as many as fit in an answer, one at least where there is one. */
  async page({ sessionId, after, limit }: Required<EntryRange>): Promise<EntryPage> {
    // The sizes first: a page's worth of large events, of which one fits, isn't read for nothing.
    const range = { sessionId, after, limit: limit + 1 };
    const sizes = await this.#database.execute<{ sequence: number; bytes: number }>(SIZES, range);
    const count = fitting(sizes.slice(0, limit).map(({ bytes }) => bytes));
    const last = sizes[count - 1]?.sequence;
    if (last === undefined) return { events: [], hasMore: false };
    return { events: await this.#read(sessionId, after, last), hasMore: sizes.length > count };
  }

  /** Events of a stream before `before` (undefined: its last ones), oldest first; `hasMore` says that older ones are there. */
  async before({ sessionId, before, limit }: RangeBefore): Promise<EntryPage> {
    const sizes = await this.#database.execute<{ sequence: number; bytes: number }>(SIZES_BEFORE, {
      sessionId,
      before: before ?? Number.MAX_SAFE_INTEGER,
      limit: limit + 1,
    });
    const count = fitting(sizes.slice(0, limit).map(({ bytes }) => bytes));
    const [last, first] = [sizes[0]?.sequence, sizes[count - 1]?.sequence];
    if (last === undefined || first === undefined) return { events: [], hasMore: false };
    return { events: await this.#read(sessionId, first - 1, last), hasMore: sizes.length > count };
  }

  /** A page for somebody who scrolls: both ends say whether there is more. */
  async history(range: RangeBefore | Required<EntryRange>): Promise<HistoryPage> {
    const { sessionId } = range;
    const { events, hasMore } = "after" in range ? await this.page(range) : await this.before(range);
    const first = events[0]?.sequence ?? ("after" in range ? range.after + 1 : (range.before ?? 1));
    const last = events.at(-1)?.sequence ?? first - 1;
    const isThere = async (found: string, where: object) =>
      (await this.#database.execute(found, { sessionId, limit: 1, ...where })).length > 0;
    if ("after" in range)
      return { events, hasMoreBefore: await isThere(SIZES_BEFORE, { before: first }), hasMoreAfter: hasMore };
    return { events, hasMoreBefore: hasMore, hasMoreAfter: await isThere(SIZES, { after: last }) };
  }

  async #read(sessionId: string, after: number, last: number): Promise<Entry[]> {
    const range = { sessionId, after, last };
    const rows = await this.#database.execute<{ sequence: number; event: string }>(EVENTS, range);
    return rows.map(({ sequence, event }) => ({ sessionId, event: JSON.parse(event), sequence }) as Entry);
  }

  /** Forgets a stream, but for how far it was. */
  async remove(stream: string): Promise<void> {
    await this.#database.transaction(async (tx) => {
      await tx.execute(FORGET, { stream });
      await tx.execute(EMPTY_LAST, { stream });
    });
  }
}

async function insert(database: DatabaseAccess, stream: string, event: string): Promise<number> {
  const [row] = await database.execute<{ sequence: number }>(APPEND, { stream, event });
  assert(row !== undefined, "an insert gives its row");
  return row.sequence;
}

/** How many of the first fit in one answer; one fits always. */
function fitting(sizes: readonly number[]): number {
  let bytes = 0;
  const over = sizes.findIndex((size, index) => {
    bytes += size;
    return index > 0 && bytes > limits.sessionPageBytes;
  });
  return over === -1 ? sizes.length : over;
}

/** A text in pieces, none of which ends in the middle of a surrogate pair: it would not survive as UTF-8. */
function pieces(text: string): string[] {
  const found: string[] = [];
  for (let start = 0, end = 0; start < text.length; start = end) {
    end = start + PIECE;
    if (end < text.length && isHighSurrogate(text.charCodeAt(end - 1))) end -= 1;
    found.push(text.slice(start, end));
  }
  return found;
}

function isHighSurrogate(code: number): boolean {
  return code >= 0xd800 && code <= 0xdbff;
}
