/** Following a session over a connection that does whatever connections do: each event once, in order. */
import type { Entry, EntryPage, EntryRange, SessionConnection } from "@troupe/agent-os/client";
import { TroupeError } from "@troupe/base";
import { limits } from "@troupe/protocol";
import fc from "fast-check";
import { expect, test } from "vitest";
import { Reader, upTo } from "../support/reader.ts";

const PAGE = 3;

interface Asked {
  readonly after: number;
  readonly resolve: (page: EntryPage) => void;
  readonly reject: (cause: unknown) => void;
}

/** A connection in the test's hands, to an actor whose transcript is 1 … total. */
class FakeConnection implements SessionConnection {
  total = 0;
  readonly asked: Asked[] = [];
  #gone: unknown;
  #underway: number[] = [];
  readonly #listeners: ((...args: unknown[]) => void)[] = [];
  readonly #callbacks: (() => void)[] = [];
  pages = 0;

  action<Response>(call: { readonly args: readonly unknown[] }): Promise<Response> {
    if (this.#gone !== undefined) return Promise.reject(this.#gone);
    const { after = 0 } = call.args[0] as EntryRange;
    return new Promise((resolve, reject) =>
      this.asked.push({ after, resolve: (page) => resolve(page as Response), reject }),
    );
  }

  on(_name: string, listener: (...args: unknown[]) => void): () => void {
    this.#listeners.push(listener);
    return () => void this.#listeners.splice(this.#listeners.indexOf(listener), 1);
  }

  onStatusChange(callback: () => void): () => void {
    this.#callbacks.push(callback);
    return () => void this.#callbacks.splice(this.#callbacks.indexOf(callback), 1);
  }

  get watched(): number {
    return this.#listeners.length + this.#callbacks.length;
  }

  happen(): void {
    this.total += 1;
    this.#underway.push(this.total);
  }

  deliver(): void {
    const sequence = this.#underway.shift();
    if (sequence !== undefined) this.#tell(sequence);
  }

  /** Something old comes again. */
  repeat(): void {
    if (this.total > 0) this.#tell(Math.ceil(this.total / 2));
  }

  answer(): void {
    const asked = this.asked.shift();
    if (asked === undefined) return;
    this.pages += 1;
    const events = upTo(this.total)
      .slice(asked.after, asked.after + PAGE)
      .map(entry);
    asked.resolve({ events, hasMore: asked.after + events.length < this.total });
  }

  /** What is under way is lost; the connection comes back. */
  cut(): void {
    this.#underway = [];
    const lost = new TroupeError("client", "outcome_unknown", "the connection was lost");
    for (const asked of this.asked.splice(0)) asked.reject(lost);
    for (const callback of this.#callbacks) callback();
  }

  dispose(): void {
    this.#gone = new TroupeError("client", "disposed", "disposed of");
    this.cut();
  }

  #tell(sequence: number): void {
    for (const listener of [...this.#listeners.slice(0, 1)]) {
      listener({ ...entry(sequence), sessionId: "other" });
      listener(entry(sequence));
    }
  }
}

function entry(sequence: number): Entry {
  const event = {
    sessionUpdate: "agent_message_chunk",
    content: { type: "text", text: `${sequence}` },
  } as const;
  return { sessionId: "s", event, sequence };
}

const turn = () => new Promise((resolve) => void setImmediate(resolve));

async function settle(conn: FakeConnection, reader: Reader): Promise<void> {
  for (let round = 0; round < 1_000 && (reader.entries.at(-1)?.sequence ?? 0) < conn.total; round += 1) {
    conn.deliver();
    conn.answer();
    await turn();
  }
}

test("S4.3 (in part): whatever is lost, late, doubled or cut off, a reader gets each event once and in order", async () => {
  const steps = ["happen", "deliver", "repeat", "answer", "cut"] as const;
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.constantFrom(...steps), fc.boolean()), { maxLength: 60 }),
      fc.nat({ max: 5 }),
      async (script, past) => {
        const conn = new FakeConnection();
        for (let n = 0; n < past; n += 1) conn.happen();
        conn.cut();
        const reader = new Reader(conn, { sessionId: "s", after: Math.floor(past / 2) });
        for (const [step, wait] of script) {
          conn[step]();
          if (wait) await turn();
        }
        await settle(conn, reader);
        expect(reader.sequences).toEqual(upTo(conn.total).slice(Math.floor(past / 2)));
      },
    ),
    { numRuns: 300 },
  );
});

test("a reader that is far behind holds a bounded number of live events and reads the others later", async () => {
  const conn = new FakeConnection();
  const iterator = new Reader(conn, { sessionId: "s" });
  await turn();
  conn.answer();
  await turn();
  // All in one turn: the reader has no time for any of them.
  for (let n = 0; n < limits.sessionTailEvents + 10; n += 1) {
    conn.happen();
    conn.deliver();
  }
  await settle(conn, iterator);
  expect(iterator.sequences).toEqual(upTo(limits.sessionTailEvents + 10));
  expect(conn.pages).toBeGreaterThan(1);
});

test("it ends when the loop is left, when the signal fires, and when the connection is disposed of", async () => {
  const conn = new FakeConnection();
  const abort = new AbortController();
  const ends = new Reader(conn, { sessionId: "s", signal: abort.signal });
  await turn();
  conn.answer();
  await turn();
  abort.abort();
  await ends.done;
  expect(conn.watched).toBe(0);
  const disposed = new Reader(conn, { sessionId: "s" });
  await turn();
  conn.dispose();
  await expect(disposed.done).rejects.toMatchObject({ group: "client", code: "disposed" });
  expect(conn.watched).toBe(0);
});
