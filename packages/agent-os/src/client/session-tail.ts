/**
 * SessionTail: a session's events for one reader, each once and in order, from any point on and for ever.
 *
 * Two sources have the same events: the transcript, read in pages, and what the actor says live. Only the event that comes
 * next is taken, from whichever has it; a live event that was read before is dropped, and one that leaves a gap means that
 * there is something to read. So it does not matter which source is ahead, whether a connection was lost in between, or how
 * slow the reader is: past a limit live events aren't kept, but read later. What the transcript has no more is left out: of a session
 * that was forgotten, whose name has another one, whose numbers go on.
 */
import { TroupeError } from "@troupe/base";
import { limits } from "@troupe/protocol";
import type { Entry, EntryPage, EntryRange } from "../session-entry.ts";

/** What is used of a connection to an `agentOS` actor. */
export interface SessionConnection {
  action<Response>(call: {
    readonly name: string;
    readonly args: readonly unknown[];
    readonly signal?: AbortSignal;
  }): Promise<Response>;
  on(name: "sessionEvent" | "vmBooted" | "vmShutdown", listener: (...args: unknown[]) => void): () => void;
  onStatusChange(callback: () => void): () => void;
}

/** Which events, and until when. */
export interface SubscribeOptions {
  /** The session's name; "vm" for what happens to the sandbox. */
  readonly sessionId: string;
  /** The sequence of the last event that the reader has. Default: 0, everything from the beginning. */
  readonly after?: number;
  /** Ends the subscription. */
  readonly signal?: AbortSignal;
}

/**
 * A session's events from `after` on: first those of the past, then what comes, each once and in order, also over lost
 * connections. Runs until the loop is left, the signal fires, or the connection is disposed of (`client.disposed`).
 *
 * ```ts
 * for await (const { sequence, event } of subscribe(conn, { sessionId: "main", after: 0 })) show(event);
 * ```
 */
export async function* subscribe(
  conn: SessionConnection,
  options: SubscribeOptions,
): AsyncGenerator<Entry, void, undefined> {
  const tail = new SessionTail(conn, options);
  try {
    for (let entry = await tail.next(); entry !== undefined; entry = await tail.next()) yield entry;
  } finally {
    tail.close();
  }
}

class SessionTail {
  readonly #conn: SessionConnection;
  readonly #options: SubscribeOptions;
  readonly #unsubscribe: (() => void)[];
  /** Events that come next, without a gap. */
  readonly #ready: Entry[] = [];
  /** The sequence of the last event in `ready`, or of the last that was given. */
  #last: number;
  /** True when the transcript has, or may have, events behind `last`. */
  #behind = true;
  #wake: (() => void) | undefined;

  constructor(conn: SessionConnection, options: SubscribeOptions) {
    this.#conn = conn;
    this.#options = options;
    this.#last = options.after ?? 0;
    const live = (entry: unknown) => {
      if (isEntry(entry)) this.#live(entry);
    };
    this.#unsubscribe = [
      conn.on("sessionEvent", live),
      conn.on("vmBooted", live),
      conn.on("vmShutdown", live),
      conn.onStatusChange(this.#changed),
    ];
    options.signal?.addEventListener("abort", this.#changed);
  }

  /** The next event; undefined when the signal has fired. */
  async next(): Promise<Entry | undefined> {
    for (;;) {
      if (this.#options.signal?.aborted === true) return undefined;
      const entry = this.#ready.shift();
      if (entry !== undefined) return entry;
      if (this.#behind) await this.#read();
      else await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  close(): void {
    for (const end of this.#unsubscribe) end();
    this.#options.signal?.removeEventListener("abort", this.#changed);
  }

  #live(entry: Entry): void {
    if (entry.sessionId !== this.#options.sessionId || entry.sequence <= this.#last) return;
    if (entry.sequence > this.#last + 1 || this.#ready.length >= limits.sessionTailEvents)
      this.#behind = true;
    else this.#take(entry);
    this.#wake?.();
  }

  /** Something that live events don't tell of: a connection that was lost, or is back, or is gone for good. */
  readonly #changed = (): void => {
    this.#behind = true;
    this.#wake?.();
  };

  #take(entry: Entry): void {
    this.#ready.push(entry);
    this.#last = entry.sequence;
  }

  async #read(): Promise<void> {
    this.#behind = false;
    const { sessionId, signal } = this.#options;
    const range: EntryRange = { sessionId, after: this.#last };
    try {
      const call = { name: "getSessionEvents", args: [range], ...(signal === undefined ? {} : { signal }) };
      const page = await this.#conn.action<EntryPage>(call);
      // A page has no gap in it; before it there is nothing any more.
      for (const entry of page.events) if (entry.sequence > this.#last) this.#take(entry);
      if (page.hasMore) this.#behind = true;
    } catch (cause) {
      this.#behind = true;
      // Reading twice does no harm: the call is made again, and waits for the connection.
      if (signal?.aborted === true || (TroupeError.is(cause) && isPassing(cause))) return;
      throw cause;
    }
  }
}

function isEntry(value: unknown): value is Entry {
  return typeof value === "object" && value !== null && "sessionId" in value && "sequence" in value;
}

function isPassing(error: TroupeError): boolean {
  return error.retryable || (error.group === "client" && error.code === "outcome_unknown");
}
