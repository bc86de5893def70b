/** Mailboxes: what is said arrives once and in order, whether it had room or not. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { MailboxMark, ProcessMailbox, SaidRecords } from "../../src/carriers/isolate/mailbox.ts";
import { RecordList, readRecords } from "../../src/carriers/isolate/records.ts";

const BYTES = 64;

/** A process that takes from its isolate what a running isolate's process does. */
class World {
  readonly mailbox = new ProcessMailbox(BYTES);
  readonly isolate = new SaidRecords();
  readonly heard: number[] = [];

  constructor() {
    this.isolate.attach(this.mailbox.memory);
  }

  say(...numbers: readonly number[]): void {
    for (const number of numbers) this.isolate.frame(new Uint8Array(1 + (number % BYTES)).fill(number));
  }

  /** An entry's end. True when the isolate asks for another. */
  take(): boolean {
    const taken = this.mailbox.take();
    if (taken === undefined) throw new RangeError("no length");
    this.#read(taken.said);
    return (taken.marks & MailboxMark.again) !== 0;
  }

  /** The entry that it asked for, in which it says `then`. */
  again(...then: readonly number[]): boolean {
    const before = this.isolate.overflow();
    this.say(...then);
    if (before !== undefined) this.#read(before);
    return this.take();
  }

  #read(records: Uint8Array): void {
    expect(readRecords(records, { frame: (frame) => this.heard.push(frame[0] ?? -1) })).toBe(true);
  }
}

test("whatever is said in whichever entry is heard once, in order", () => {
  const entry = fc.array(fc.nat(255), { maxLength: 6 });
  fc.assert(
    fc.property(fc.array(entry, { maxLength: 5 }), (entries) => {
      const world = new World();
      const [first = [], ...rest] = entries;
      world.say(...first);
      let again = world.take();
      for (const said of rest) again = world.again(...said);
      while (again) again = world.again();
      expect(world.heard).toEqual(entries.flat());
    }),
  );
});

test("what was said before there was a mailbox is asked for", () => {
  const early = new SaidRecords();
  early.timerSet(1, 5);
  const mailbox = new ProcessMailbox(BYTES);
  early.attach(mailbox.memory);
  expect(mailbox.take()?.marks).toBe(MailboxMark.again);
  expect(early.overflow()?.byteLength).toBeGreaterThan(0);
  expect(early.overflow()).toBeUndefined();
});

test("what is given is a copy; what is too long waits to go another way", () => {
  const { mailbox, isolate } = new World();
  const waiting = new RecordList();
  waiting.frame(Uint8Array.of(7));
  const bytes = mailbox.give(waiting) ?? 0;
  const given = isolate.given(bytes);
  expect(given.buffer).toBeInstanceOf(ArrayBuffer);
  expect(readRecords(given, { frame: (frame) => expect([...frame]).toEqual([7]) })).toBe(true);
  waiting.frame(new Uint8Array(BYTES));
  expect(mailbox.give(waiting)).toBeUndefined();
  expect(waiting.bytes).toBeGreaterThan(BYTES);
});

test("a length that is none is nobody's message", () => {
  const { mailbox } = new World();
  new Uint32Array(mailbox.memory)[0] = BYTES + 1;
  expect(mailbox.take()).toBeUndefined();
});
